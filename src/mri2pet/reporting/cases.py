"""The case that a figure shows, chosen by rule and not by eye."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.errors import InputError
from mri2pet.files import read_tsv


@dataclass(frozen=True)
class Case:
    """One held-out visit."""

    subject: str
    visit: str
    group: str
    fold: int


def typical_case(values: pd.DataFrame, models: Sequence[str], group: str | None = None) -> Case:
    """Return the held-out visit with the median error, of one group or of all.

    Parameters
    ----------
    values
        Image metrics of all models: method subject visit group fold metric value.
    models
        Their mean absolute errors are averaged; the lower median of an even number is taken, and
        the first by subject and visit of equals.
    group
        Group of the case; any if None.
    """
    chosen = values[(values["metric"] == "MAE") & values["method"].isin(models)]
    if group is not None:
        chosen = chosen[chosen["group"] == group]
    if chosen.empty:
        of = f" of group {group}" if group else ""
        raise InputError(f"no held-out visit{of}: there is no case to draw")
    errors = chosen.groupby(["subject", "visit", "group", "fold"])["value"].mean()
    ordered = errors.reset_index().sort_values(["value", "subject", "visit"])
    row = ordered.iloc[(len(ordered) - 1) // 2]
    return Case(row["subject"], row["visit"], row["group"], int(row["fold"]))


def read_volume(
    arrays: Sequence[str | Path], tables: Sequence[str | Path], model: str, case: Case
) -> NDArray:
    """Read a case's synthetic PET (X, Y, Z) from the files `.../{model}/fold-{k}/...`."""
    place = (model, f"fold-{case.fold}")
    array, table = (_of(paths, place) for paths in (arrays, tables))
    visits = read_tsv(table, dtype={"subject": str, "visit": str})
    rows = np.flatnonzero((visits["subject"] == case.subject) & (visits["visit"] == case.visit))
    if len(rows) != 1:
        raise InputError(f"{table}: {case.subject} {case.visit} stands there {len(rows)} times")
    return np.load(array, mmap_mode="r")[rows[0]]


def drawn_row(coverage: pd.DataFrame, case: Case) -> int:
    """Return a case's row in its fold's arrays of mean and sd, whose visits `coverage` lists."""
    visits = coverage[["subject", "visit"]].drop_duplicates().to_records(index=False).tolist()
    if (case.subject, case.visit) not in visits:
        raise InputError(f"coverage.tsv of fold {case.fold}: no {case.subject} {case.visit}")
    return visits.index((case.subject, case.visit))


def _of(paths: Sequence[str | Path], place: tuple[str, str]) -> str | Path:
    """Return the file of one model and fold."""
    return next(path for path in paths if Path(path).parts[-3:-1] == place)
