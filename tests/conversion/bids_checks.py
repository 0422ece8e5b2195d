"""The BIDS validator on a folder, with no network to ask."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from offline import OFFLINE


def errors_of(folder: Path, work: Path) -> set[tuple[str, str]]:
    """Return the validator's errors on a dataset: code, and the key or the file that it is of."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which("bids-validator-deno", path=programs)
    if program is None:
        pytest.skip("bids-validator-deno is not installed")
    done = subprocess.run(
        [program, str(folder), "--format", "json"],
        env=os.environ | OFFLINE | {"DENO_DIR": str(work / "deno")},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("{"), done.stderr
    found = json.loads(done.stdout)
    assert found["summary"]["totalFiles"] > 0
    return {
        (issue["code"], issue.get("subCode") or issue["location"])
        for issue in found["issues"]["issues"]
        if issue["severity"] == "error"
    }


def missing_of(folder: Path, work: Path) -> set[str]:
    """Return the required keys that a dataset's sidecars lack, where nothing else is wrong."""
    errors = errors_of(folder, work)
    assert {code for code, _ in errors} <= {"SIDECAR_KEY_REQUIRED"}, errors
    return {key for _, key in errors}
