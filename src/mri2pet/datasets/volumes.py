"""Volumes of some visits of a dataset, read when they are asked for."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

Array = np.ndarray


class Volumes:
    """What a generator is shown of some visits: one array's volumes, or those of several.

    Parameters
    ----------
    paths
        Arrays (all visits, X, Y, Z).
    rows
        Of the arrays.
    """

    def __init__(self, paths: Sequence[str | Path], rows: Iterable[int]) -> None:
        self.arrays = [np.load(path, mmap_mode="r") for path in paths]
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> Array:
        """Return (X, Y, Z) mapped into memory of one array, (arrays, X, Y, Z) of several."""
        own = [array[self.rows[place]] for array in self.arrays]
        return own[0] if len(own) == 1 else np.stack(own)

    def __iter__(self) -> Iterator[Array]:
        return (self[place] for place in range(len(self)))
