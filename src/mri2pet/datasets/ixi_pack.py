"""Parts of the split of IXI's people."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def of_split(visits: "pd.DataFrame", *splits: str) -> "pd.DataFrame":
    """Return the rows of some parts of the split, in the order of the dataset."""
    return visits[visits["split"].isin(splits)].reset_index(drop=True)


def read_split(
    arrays: Sequence[str | Path], visits: "pd.DataFrame", split: str
) -> list[np.ndarray]:
    """Read the volumes (N, X, Y, Z) of one part of the split, and no other's, of each array."""
    rows = of_split(visits, split)["index"]
    return [np.load(path, mmap_mode="r")[rows.to_numpy()] for path in arrays]
