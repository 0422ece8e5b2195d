"""Compile kernels for the processor at hand, once, and load them."""

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
FILES = ("vectors.hpp", "convolution.cpp", "halving.cpp", "normalisation.cpp", "similarity.cpp")
SOURCES = tuple(FOLDER / name for name in FILES)  # those of the networks
FLAGS = ("-std=c++17", "-O3", "-ffp-contract=fast", "-shared", "-fPIC", "-pthread", "-w")
SWITCH = "MRI2PET_NATIVE"  # 0: never
_got: dict[tuple[Path, ...], bool] = {}  # whether those asked for could be had


@functools.cache
def kernels(sources: tuple[Path, ...] = SOURCES) -> ctypes.CDLL | None:
    """Return the compiled kernels, or None where they cannot be had; the log then says why.

    They are kept in the user's cache folder, by sources, compiler and processor. Without a C++
    compiler, or with MRI2PET_NATIVE=0, torch's own operations do the work, more slowly.
    """
    library = _library(sources)
    _got[sources] = library is not None
    return library


def used() -> bool | None:
    """Tell whether this process has asked for kernels (else None) and got them all."""
    return all(_got.values()) if _got else None


def _library(sources: tuple[Path, ...]) -> ctypes.CDLL | None:
    if os.environ.get(SWITCH, "1") == "0":
        log.info("kernels: not used, as %s=0 asks", SWITCH)
        return None
    compiler = _compiler()
    if compiler is None:
        log.info("kernels: torch's own are used: no C++ compiler (g++, clang++, or name it in CXX)")
        return None
    try:
        with tempfile.TemporaryDirectory() as scratch:
            return ctypes.CDLL(str(_built(compiler, sources, Path(scratch))))
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or error
        log.warning("kernels: torch's own are used: %s cannot compile them: %s", compiler, said)
        return None


def build(compiler: str, target: Path, *flags: str, sources: tuple[Path, ...] = SOURCES) -> None:
    """Compile the kernels to a shared library.

    Parameters
    ----------
    compiler
        Program, of g++'s or clang++'s kind.
    target
        The library to write.
    flags
        For the processor, e.g. `-march=native`.
    sources
        Files in C++; headers among them are those that they include.

    Raises
    ------
    subprocess.SubprocessError
        The compiler fails or takes longer than five minutes.
    """
    compiled = [str(path) for path in sources if path.suffix == ".cpp"]
    command = [compiler, *FLAGS, *flags, *compiled, "-o", str(target)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)


def _built(compiler: str, sources: tuple[Path, ...], scratch: Path) -> Path:
    """Return the library of this processor, compiled now if it is not in the cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mri2pet"
    kept = cache / f"kernels-{_identity(compiler, sources)}.so"
    if kept.is_file():
        return kept
    started, made = time.monotonic(), scratch / "kernels.so"
    try:
        build(compiler, made, "-march=native", sources=sources)
    except subprocess.CalledProcessError:  # what g++ for ARM calls it
        build(compiler, made, "-mcpu=native", sources=sources)
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


def _identity(compiler: str, sources: tuple[Path, ...]) -> str:
    """Hash of all that the compiled code follows from."""
    version = subprocess.run(
        [compiler, "--version"], check=True, capture_output=True, timeout=60
    ).stdout
    hasher = hashlib.sha256(f"{compiler} {FLAGS} {processor()}".encode() + version)
    for path in sources:
        hasher.update(path.read_bytes())
    return hasher.hexdigest()[:24]


def processor() -> str:
    """Name the processor and what it can do, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    told = ("model name", "flags", "Features", "CPU part")
    return " ".join(line.partition(":")[2] for line in lines if line.startswith(told))
