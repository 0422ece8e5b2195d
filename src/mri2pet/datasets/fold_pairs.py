"""Cross-fitting: generators that hold out two folds, one to be tested and one to be synthesised."""

from collections.abc import Collection
from itertools import combinations
from typing import TYPE_CHECKING

from mri2pet.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

FEWEST_PEOPLE = 2  # of one person's scans nothing about others can be learnt


def fold_pairs(n: int) -> list[tuple[int, int]]:
    """Return all pairs of `n` folds, the lower number first: n (n - 1) / 2 trainings a model."""
    return list(combinations(range(n), 2))


def pair_name(first: int, second: int) -> str:
    """Return a pair of folds as file names have it, whichever is named first: `0-2`."""
    return "-".join(map(str, sorted((first, second))))


def check_pairs(folds: "pd.DataFrame", groups: Collection[str], key: str) -> None:
    """Check that any two folds leave people to train a generator on.

    Parameters
    ----------
    folds
        As `folds.make_folds` deals them: subject group kind fold.
    groups
        Those that generators learn from; all if none is named.
    key
        Of the configuration, which asks for cross-fitting.

    Raises
    ------
    InputError
        Fewer than `FEWEST_PEOPLE` people with MRI and PET are outside two of the folds.
    """
    learnt = folds[folds["kind"] == "paired"]
    if groups:
        learnt = learnt[learnt["group"].isin(list(groups))]
    for pair in fold_pairs(int(folds["fold"].max()) + 1):
        left = int((~learnt["fold"].isin(pair)).sum())
        if left < FEWEST_PEOPLE:
            of = f" of {', '.join(groups)}" if groups else ""
            raise InputError(
                f"{key}: without folds {pair[0]} and {pair[1]}, {left} people{of} with MRI and PET "
                f"are left to train a generator on; at least {FEWEST_PEOPLE} are needed. Set "
                f"folds.n higher, or {key}: []"
            )
