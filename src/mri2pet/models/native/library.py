"""Compile the kernels for the processor at hand, once, and load them."""

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent
FILES = ("vectors.hpp", "convolution.cpp", "halving.cpp", "normalisation.cpp")
FLAGS = ("-std=c++17", "-O3", "-ffp-contract=fast", "-shared", "-fPIC", "-pthread", "-w")
SWITCH = "MRI2PET_NATIVE"  # 0: never


@functools.cache
def kernels() -> ctypes.CDLL | None:
    """Return the compiled kernels, or None where they cannot be had; the log then says why.

    They are kept in the user's cache folder, by sources, compiler and processor. Without a C++
    compiler, or with MRI2PET_NATIVE=0, torch's own operations do the work, more slowly.
    """
    if os.environ.get(SWITCH, "1") == "0":
        log.info("kernels: not used, as %s=0 asks", SWITCH)
        return None
    compiler = _compiler()
    if compiler is None:
        log.info("kernels: torch's own are used: no C++ compiler (g++, clang++, or name it in CXX)")
        return None
    try:
        with tempfile.TemporaryDirectory() as scratch:
            return ctypes.CDLL(str(_built(compiler, Path(scratch))))
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or error
        log.warning("kernels: torch's own are used: %s cannot compile them: %s", compiler, said)
        return None


def used() -> bool | None:
    """Tell whether this process has asked for the kernels (else None) and got them."""
    return kernels() is not None if kernels.cache_info().currsize else None


def build(compiler: str, target: Path, *flags: str) -> None:
    """Compile the kernels to a shared library.

    Parameters
    ----------
    compiler
        Program, of g++'s or clang++'s kind.
    target
        The library to write.
    flags
        For the processor, e.g. `-march=native`.

    Raises
    ------
    subprocess.SubprocessError
        The compiler fails or takes longer than five minutes.
    """
    sources = [str(FOLDER / name) for name in FILES if name.endswith(".cpp")]
    command = [compiler, *FLAGS, *flags, *sources, "-o", str(target)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)


def _built(compiler: str, scratch: Path) -> Path:
    """Return the library of this processor, compiled now if it is not in the cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mri2pet"
    kept = cache / f"kernels-{_identity(compiler)}.so"
    if kept.is_file():
        return kept
    started, made = time.monotonic(), scratch / "kernels.so"
    try:
        build(compiler, made, "-march=native")
    except subprocess.CalledProcessError:  # what g++ for ARM calls it
        build(compiler, made, "-mcpu=native")
    log.info("kernels: compiled for this processor in %.1f s", time.monotonic() - started)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        partial = cache / f"{kept.name}.{os.getpid()}"
        shutil.copy(made, partial)
        os.replace(partial, kept)
    except OSError as error:
        log.info("kernels: not kept for the next time: %s", error)
        return made
    return kept


def _compiler() -> str | None:
    chosen = os.environ.get("CXX")
    names = [chosen] if chosen else ["g++", "clang++", "c++"]
    return next((found for name in names if (found := shutil.which(name))), None)


def _identity(compiler: str) -> str:
    """Hash of all that the compiled code follows from."""
    version = subprocess.run(
        [compiler, "--version"], check=True, capture_output=True, timeout=60
    ).stdout
    hasher = hashlib.sha256(f"{compiler} {FLAGS} {processor()}".encode() + version)
    for name in FILES:
        hasher.update((FOLDER / name).read_bytes())
    return hasher.hexdigest()[:24]


def processor() -> str:
    """Name the processor and what it can do, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    told = ("model name", "flags", "Features", "CPU part")
    return " ".join(line.partition(":")[2] for line in lines if line.startswith(told))
