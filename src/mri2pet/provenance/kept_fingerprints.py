"""Fingerprints of scripts, kept from one call of Snakemake to the next.

To compute those of all scripts takes some seconds, and every job on a cluster reads the workflow
again. They are kept with a hash of all sources that they can depend on, by content: after any
change all are computed anew.
"""

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mri2pet.provenance.fingerprint import FILES, fingerprint


def sources_hash(folders: Sequence[Path]) -> str:
    """Return a hash of the sources below some folders: their paths and contents.

    Python's version counts too, since fingerprints are of code as Python prints it.
    """
    total = hashlib.sha256(sys.version.encode())
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", *FILES) and path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                total.update(f"\n{path.relative_to(folder)} {content}".encode())
    return total.hexdigest()


class KeptFingerprints:
    """Fingerprints by script and symbols, computed once for a state of the sources.

    Parameters
    ----------
    scripts
        Folder of the scripts.
    package
        Folder of the package that they use.
    kept
        File that keeps the fingerprints; one that cannot be read or written is done without.
    """

    def __init__(self, scripts: Path, package: Path, kept: Path) -> None:
        self.scripts, self.package, self.kept = scripts, package, kept
        self.state = sources_hash([scripts, package])
        self.marks: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            content = json.loads(kept.read_text())
            if content["state"] == self.state:
                self.marks = {str(key): str(mark) for key, mark in content["marks"].items()}

    def of(self, script: str, symbols: Sequence[str] = ()) -> str:
        """Return the fingerprint of a script and of the symbols that it reaches by name alone."""
        key = " ".join([script, *symbols])
        if key not in self.marks:
            self.marks[key] = fingerprint(self.scripts / script, self.package, symbols)
            self._keep()
        return self.marks[key]

    def _keep(self) -> None:
        with contextlib.suppress(OSError):
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            made = self.kept.with_suffix(f".{os.getpid()}")  # other calls may write at this time
            made.write_text(json.dumps({"state": self.state, "marks": self.marks}))
            made.replace(self.kept)
