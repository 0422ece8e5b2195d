"""A mean with its interval, as the cells of the report's plain tables show it."""

from collections.abc import Mapping

import numpy as np
import pandas as pd


def spanned(mean: float, low: float, high: float, digits: int, scale: float = 1.0) -> str:
    """Write a mean with its interval, `1.2 [0.9, 1.5]`; alone without one, `n/a` without a mean."""
    if not np.isfinite(mean):
        return "n/a"
    middle, first, last = (f"{scale * value:.{digits}f}" for value in (mean, low, high))
    return f"{middle} [{first}, {last}]" if np.isfinite([low, high]).all() else middle


def by_head(
    rows: pd.DataFrame, names: Mapping[str, str], digits: int, scale: float = 1.0
) -> pd.DataFrame:
    """List a row a method and a column a head: mean, interval and number of people.

    Parameters
    ----------
    rows
        method, head, mean, low, high and n.
    names
        Method to label.
    digits, scale
        Of all numbers.
    """
    heads, listed = dict.fromkeys(rows["head"], ""), []
    for method, own in rows.groupby("method", sort=False):
        cells = {"Method": names.get(str(method), str(method)), **heads}
        for row in own.itertuples(index=False):
            said = spanned(row.mean, row.low, row.high, digits, scale)
            cells[row.head] = said if said == "n/a" else f"{said} ({row.n})"
        listed.append(cells)
    return pd.DataFrame(listed)
