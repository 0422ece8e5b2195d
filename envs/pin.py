"""Write envs/*.yaml, the conda route, from the pins of requirements.lock, the pip route.

Each environment lists its direct packages and all that they need, so that both routes install the
same versions. Run it where the lock is installed: `make lock` does.
"""

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TORCH = "2.13.0"  # apart from the lock, as the Makefile says why
PYTHON = "3.11"


def locked_versions() -> dict[str, str]:
    """Return the version of every package of requirements.lock, and torch's."""
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", lock, re.M)
    return {canonicalize_name(name): version for name, version in pins} | {"torch": TORCH}


def closure(direct: list[str]) -> set[str]:
    """Return the packages needed by `direct`, directly or not, on this platform."""
    found: set[str] = set()
    waiting = list(direct)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found.add(name)
        for line in requires(name) or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                waiting.append(need.name)
    return found


def environment(name: str, direct: list[str]) -> str:
    """Return the text of one conda environment file."""
    versions = locked_versions()
    # torch brings CUDA packages of its own on machines that have them: pip chooses those
    needed = sorted(closure(direct) & versions.keys())
    pins = [f"{package}=={versions[package]}" for package in needed]
    lines = [
        "# Written by envs/pin.py from requirements.lock: do not edit.",
        f"name: mri2pet-{name}",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        f"  - python={PYTHON}",
        "  - pip",
        "  - pip:",
        *(f"      - {pin}" for pin in pins),
    ]
    return "\n".join(lines) + "\n"


def environments() -> dict[str, str]:
    """Return file name and text of every environment."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    direct = settings["tool"]["mri2pet"]["environments"]
    return {f"{name}.yaml": environment(name, packages) for name, packages in direct.items()}


if __name__ == "__main__":
    for file, text in environments().items():
        (ROOT / "envs" / file).write_text(text)
