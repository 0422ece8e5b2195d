"""Reading and writing files so that they appear whole or not at all."""

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mri2pet.errors import InputError

if TYPE_CHECKING:  # pandas takes a second to import, and most jobs write JSON alone
    import pandas as pd

MISSING = "n/a"  # as BIDS writes a missing value in a table
# What a disk, a network or a quota answers: no fault of the file that is being read.
_MACHINE = {
    *(errno.EIO, errno.EACCES, errno.EPERM, errno.ESTALE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT),
    *(errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ETIMEDOUT, errno.ENODEV, errno.ENXIO),
}


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that replaces it when the block ends well.

    The temporary name keeps the file's endings (`.nii.gz`), since writers choose a format by them.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as folder:
        partial = Path(folder) / path.name
        yield partial
        os.replace(partial, path)


@contextmanager
def own_temporary_files() -> Iterator[Path]:
    """Give what asks for a temporary file, while the block lasts, a folder that then vanishes.

    For libraries that leave theirs behind. It holds for the whole process, so not beside threads
    that make temporary files which shall outlive the block.
    """
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="mri2pet-") as folder:
        tempfile.tempdir = folder
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = before


def write_json(path: str | Path, content: dict[str, Any]) -> None:
    """Write `content` as indented JSON with sorted keys."""
    with atomic(path) as partial:
        partial.write_text(json.dumps(content, indent=2, sort_keys=True, default=_plain) + "\n")


def read_json(path: str | Path) -> dict[str, Any]:
    """Read a JSON object; a file that is none raises `InputError` with its name."""
    try:
        content = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable JSON file ({error})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected a JSON object, found {type(content).__name__}")
    return content


def write_tsv(path: str | Path, table: "pd.DataFrame") -> None:
    """Write a table tab-separated, without index, missing values as `n/a`."""
    with atomic(path) as partial:
        table.to_csv(partial, sep="\t", index=False, na_rep=MISSING, lineterminator="\n")


def read_tsv(path: str | Path, **kwargs: Any) -> "pd.DataFrame":
    """Read a table written by `write_tsv`; only `n/a` and nothing are missing values."""
    import pandas as pd

    kwargs = {"keep_default_na": False, "na_values": [MISSING, ""], **kwargs}
    return pd.read_csv(path, sep="\t", **kwargs)


def check_machine(error: BaseException, path: str | Path) -> None:
    """Raise `InputError` if an error came from the machine and not from what stands in a file.

    So that a scan is not excluded for good because a disk failed for a moment.
    """
    if isinstance(error, OSError) and error.errno in _MACHINE:
        raise InputError(
            f"{path}: cannot be read or written ({error.strerror}); see to the disk, the quota or "
            "the permissions and start again: what is finished stays"
        ) from error


def sha256(path: str | Path) -> str:
    """Hash a file in bounded memory."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _plain(value: Any) -> Any:
    """Turn numpy scalars, arrays and paths into what JSON knows."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
