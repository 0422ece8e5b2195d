"""Hold the pins of requirements.lock against the index's list of known vulnerabilities.

`make audit-deps` runs it where pip-audit is installed. Ends with 1 if a pin is known to be
vulnerable; where the index has no such list or does not answer, it says so and ends with 0.
"""

import json
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.lock"
COMMAND = ["--requirement", str(LOCK), "--disable-pip", "--no-deps", "--format", "json"]


def audit() -> dict:
    """Return pip-audit's findings; nothing if it has none to give."""
    command = [sys.executable, "-m", "pip_audit", *COMMAND, "--progress-spinner", "off"]
    done = subprocess.run([*command, "--timeout", "15"], capture_output=True, text=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        print(f"audit-deps: no answer ({done.stderr.strip()[-300:]})", file=sys.stderr)
        return {}


def report(findings: dict) -> int:
    """Print what was found and return the exit code."""
    packages = findings.get("dependencies", [])
    known = [package for package in packages if "vulns" in package]
    bad = [package for package in known if package["vulns"]]
    for package in bad:
        ids = ", ".join(fault["id"] for fault in package["vulns"])
        print(f"{package['name']} {package['version']}: {ids}")
    if len(known) < max(len(packages), 1):
        print(f"audit-deps: {len(packages) - len(known)} of {len(packages)} pins are unknown to "
              "the index's list: not audited", file=sys.stderr)  # fmt: skip
    print(f"audit-deps: {len(known)} pins audited, {len(bad)} known to be vulnerable")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(report(audit()))
