"""Tissues of synthesised volumes against those of real ones, person by person (part X8)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

COPY = "copy"  # the source image in place of a synthesised one
# labels of a segmentation; a PD does not tell grey matter and fluid apart
TISSUES = {"t2": {"GM": [1], "WM": [2], "CSF": [3]}, "pd": {"WM": [2], "GM and CSF": [1, 3]}}
WORDS = {"val": "validation", "test": "test"}
COLUMNS = ("dataset", "method", "subject", "split", "metric", "unit", "value")


def direction(source: str, target: str) -> str:
    """Name a direction as the tables do: T2-PD."""
    return f"{source}-{target}".upper()


def overlap(first: NDArray, second: NDArray, labels: Sequence[int]) -> float:
    """Dice of some labels, taken as one, of two segmentations; NaN where neither has them."""
    from mri2pet.imaging.qc import dice

    one, two = np.isin(first, labels), np.isin(second, labels)
    return dice(one, two) if one.any() or two.any() else float("nan")


def compare_tissues(
    labels: Mapping[str, NDArray], directions: Mapping[str, Sequence[str]], subject: str
) -> "pd.DataFrame":
    """Compare segmentations of synthesised volumes with those of the real ones: a row a tissue.

    Parameters
    ----------
    labels
        Segmentation of `t2`, `pd` and of each model's volume.
    directions
        Source and target of each model.
    subject
        Written into the table.

    Returns
    -------
    `COLUMNS`, all models and, for each direction, the source's own segmentation as `copy`.
    """
    import pandas as pd

    pairs = [(model, model, *ways) for model, ways in directions.items()]
    pairs += [(COPY, ways[0], *ways) for ways in dict.fromkeys(map(tuple, directions.values()))]
    found = [
        (
            *(f"{direction(source, target)} {WORDS['test']}", method, subject, "test"),
            *(f"Dice {name}", "fraction", overlap(labels[target], labels[shown], parts)),
        )
        for method, shown, source, target in pairs
        for name, parts in TISSUES[target].items()
    ]
    return pd.DataFrame(found, columns=list(COLUMNS))
