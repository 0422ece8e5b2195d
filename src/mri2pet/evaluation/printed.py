"""What a paper prints of a value beside its mean and sd, and what is to be remarked on it."""

import pandas as pd

from mri2pet.evaluation.repeats import KEYS

COLUMNS = {"p_value": "published_p", "remark": "remark"}  # of a transcription, of a table


def with_printed(table: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Add the p values that a paper prints and the remarks on its values, as text.

    Parameters
    ----------
    table
        Long: dataset method metric and more.
    published
        As `image_tables.read_published` gives it; with `p_value` or `remark`, or without.

    Returns
    -------
    DataFrame
        The table with the columns `published_p` and `remark`, of those of which the paper's table
        has any. What is remarked on a mean is a fault of the printed table, not of the values.
    """
    printed = published.drop(columns="method", errors="ignore").rename(columns={"model": "method"})
    there = [name for name in COLUMNS if name in printed and printed[name].notna().any()]
    told = printed[[*KEYS, *there]].dropna(subset=["method"]).rename(columns=COLUMNS)
    added = [COLUMNS[name] for name in there]
    told = told.astype({name: object for name in added})
    return table.merge(told, on=KEYS, how="left", validate="many_to_one")
