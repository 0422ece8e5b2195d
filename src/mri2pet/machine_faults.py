"""Faults of the machine, told from faults of what is read: disks, quotas, permissions, memory.

So that no scan is excluded for good because a disk was full or a program was ended for a moment,
and that a user reads which file it was and what to do.
"""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mri2pet.errors import InputError, Mri2PetError, ScanError

ENOUGH = 64 << 20  # free bytes below which a failure is put down to the disk, not to the scan
_PROBE = 1 << 20  # bytes that a disk must take to be no reason for a failed write
_SPACE = "free some space on its disk, or in its quota,"
_WRITABLE = "make its folder writable, or work in another one (--directory),"
_MEMORY = "give the job more memory (--set-resources RULE:mem_mb=MB)"
_ELSE = "see to the disk, the quota or the permissions"
# What a disk, a network or a quota answers: no fault of the file that is being read.
_ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _SPACE),
    errno.EROFS: _WRITABLE,
    errno.ENOMEM: _MEMORY,
    **dict.fromkeys((errno.EIO, errno.EACCES, errno.EPERM, errno.ESTALE, errno.EMFILE), _ELSE),
    **dict.fromkeys((errno.ENFILE, errno.ETIMEDOUT, errno.ENODEV, errno.ENXIO), _ELSE),
}
# What libraries say instead of raising MemoryError, and nipype of a program that was killed.
_NO_MEMORY = re.compile(
    r"bad.?alloc|(?:can't|cannot|to) allocate memory|not enough memory|out of memory|"
    r"Return code: (?:-9|137)\b",
    re.I,
)


def out_of_memory(error: BaseException) -> bool:
    """Tell whether an error, or what it was made of, says that there is no memory left."""
    return any(
        isinstance(each, MemoryError)
        or (isinstance(each, RuntimeError) and bool(_NO_MEMORY.search(str(each))))
        for each in _chain(error)
    )


def check_machine(error: BaseException, path: str | Path) -> None:
    """Raise if an error, or what it was made of, came from the machine and not from a file.

    Parameters
    ----------
    error
        What was caught.
    path
        The file that was being read or written.

    Raises
    ------
    InputError
        Of a disk, a quota or permissions; says what to do.
    MemoryError
        For want of memory.
    """
    if out_of_memory(error):
        raise MemoryError(f"{path}: {error}") from error
    for each in _chain(error):
        if isinstance(each, OSError) and each.errno in _ADVICE:
            raise InputError(
                f"{path}: cannot be read or written ({each.strerror}); {_ADVICE[each.errno]} "
                "and start again: what is finished stays"
            ) from error


def check_write(error: BaseException, path: Path, folder: Path) -> None:
    """Raise `InputError` if a file was not written because of its disk.

    Libraries that write by themselves do not hand on what the disk said: then it is asked, by
    writing a little beside what they left.

    Parameters
    ----------
    error
        What was raised while the file was being written.
    path, folder
        What was to be written, and the folder of the part that is there.
    """
    if isinstance(error, Mri2PetError):
        return
    named = getattr(error, "filename", None)
    own = named is None or str(folder) in str(named)
    check_machine(error, path if own else str(named))
    if isinstance(error, OSError | RuntimeError):
        try:
            with open(folder / "probe", "wb") as handle:
                handle.write(bytes(_PROBE))
                handle.flush()
                os.fsync(handle.fileno())
        except OSError as answer:
            check_machine(answer, path)


def check_writable(*folders: str | Path) -> None:
    """Raise `InputError` if nothing can be written in a folder that is there or is to be made."""
    for folder in folders:
        try:
            with tempfile.TemporaryFile(dir=_existing(folder)):
                pass
        except OSError as error:
            check_machine(error, folder)
            raise


@contextmanager
def not_the_scans(*folders: str | Path) -> Iterator[None]:
    """Let no scan be excluded, and nobody puzzled, by a want of space or memory in the block.

    Parameters
    ----------
    *folders
        In which the block works, beside that for temporary files.

    Raises
    ------
    InputError
        In place of what was raised, if there is too little space to be sure of it.
    MemoryError
        Likewise.
    """
    try:
        yield
    except (ScanError, RuntimeError, OSError) as error:
        for folder in (*folders, tempfile.gettempdir()):
            check_machine(error, getattr(error, "filename", None) or folder)
            free = shutil.disk_usage(_existing(folder)).free
            if free < ENOUGH:
                raise InputError(
                    f"{folder}: {free / 1e6:.1f} MB are free, and a step failed ({error}), which "
                    f"may be for want of space; {_SPACE} and start again: what is finished stays"
                ) from error
        raise


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was made of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _existing(folder: str | Path) -> Path:
    """Return a folder, or the nearest above it that is there."""
    folder = Path(folder).absolute()
    return next(each for each in (folder, *folder.parents) if each.is_dir())
