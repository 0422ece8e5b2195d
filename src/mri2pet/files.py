"""Reading and writing files so that they appear whole or not at all."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mri2pet.errors import InputError
from mri2pet.machine_faults import check_machine, check_write

if TYPE_CHECKING:  # pandas takes a second to import, and most jobs write JSON alone
    import numpy as np
    import pandas as pd

MISSING = "n/a"  # as BIDS writes a missing value in a table


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that replaces it when the block ends well.

    The temporary name keeps the file's endings (`.nii.gz`), since writers choose a format by them.

    Raises
    ------
    InputError
        The disk is full, read-only or broken, whatever the writer made of that.
    """
    path = Path(path)
    with folder_beside(path) as folder:
        partial = folder / path.name
        yield partial
        os.replace(partial, path)


@contextmanager
def folder_beside(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder beside `path` in which to make it; it vanishes when the block ends.

    A job that was killed leaves its folder: the next one that makes the same `path` removes it. A
    path has one job at a time, for which Snakemake's lock stands.

    Raises
    ------
    InputError
        As `atomic`.
    """
    path = Path(path)
    prefix = f".partial-{path.name}-"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.iterdir():
            if re.fullmatch(re.escape(prefix) + r"\w{8}", left.name):
                shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=prefix) as folder:
            try:
                yield Path(folder)
            except Exception as error:  # while what was written still takes its place on the disk
                check_write(error, path, Path(folder))
                raise
    except OSError as error:
        check_machine(error, path)
        raise


def new_array(path: str | Path, shape: tuple[int, ...], kind: str = "float32") -> "np.memmap":
    """Make an .npy file of zeros and map it into memory.

    Its place on the disk is taken at once: where a mapped file finds none later, the system ends
    the process without a word.
    """
    import numpy as np

    rows = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)
    with open(path, "r+b") as handle:
        os.posix_fallocate(handle.fileno(), 0, os.fstat(handle.fileno()).st_size)
    return rows


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
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
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
