"""Visits in the order in which they want to be looked at: the nearest to a limit first."""

import numpy as np
import pandas as pd


def margins(measures: pd.DataFrame) -> pd.DataFrame:
    """Tell how far every judged measure lies within its limit.

    Parameters
    ----------
    measures
        As `qc_measures.qc_measures` makes it.

    Returns
    -------
    DataFrame
        The judged rows, with `limit` (as text) and `margin`: distance from the nearer limit, in sd
        of the measure over the scans of its modality and space, less than 0 beyond the limit. Where
        all scans have the same value nothing can be near: infinite, or minus that beyond the limit.
    """
    if measures.empty:
        return measures.assign(limit="", margin=np.nan)
    judged = measures.dropna(subset=["lowest", "highest"], how="all")
    judged = judged[judged["value"].notna()].copy()
    spread = judged.groupby(["modality", "space", "measure"])["value"].transform("std")
    below = judged["value"] - judged["lowest"].astype(float)
    above = judged["highest"].astype(float) - judged["value"]
    lower = below.fillna(np.inf) <= above.fillna(np.inf)
    limit = judged["lowest"].astype(float).where(lower, judged["highest"].astype(float))
    distance = below.where(lower, above)
    same = pd.Series(np.where(distance < 0, -np.inf, np.inf), index=judged.index)
    judged["margin"] = (distance / spread).where(spread > 0, same)
    judged["limit"] = [
        f"{'at least' if low else 'at most'} {value:g}"
        for low, value in zip(lower, limit, strict=True)
    ]
    return judged


def worst_of_visits(measures: pd.DataFrame) -> dict[tuple[str, str], tuple[float, str]]:
    """Return each visit's smallest margin and what it is of, in words."""
    judged = margins(measures)
    if judged.empty:
        return {}
    first = judged.sort_values(["margin", "subject", "visit"]).drop_duplicates(["subject", "visit"])
    return {
        (str(row.subject), str(row.visit)): (float(row.margin), _told(row))
        for row in first.itertuples(index=False)
    }


def nearest(measures: pd.DataFrame) -> str:
    """Name the scan nearest to a limit, or furthest beyond one."""
    judged = margins(measures)
    row = next(judged.sort_values(["margin", "subject", "visit"]).itertuples(index=False))
    return f"{row.subject} {row.visit}, {_told(row)}"


def _told(row: tuple) -> str:
    measure = row.measure.replace("_", " ")
    return f"{row.modality} {measure} {row.value:.4g} ({row.limit})"
