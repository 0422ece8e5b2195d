"""How much a table's values differ between trainings of other seeds."""

from collections.abc import Callable, Sequence

import pandas as pd

from mri2pet.config.repeats import first_and_number

KEYS = ["dataset", "method", "metric"]


def with_repeats(
    values: pd.DataFrame, make: Callable[[pd.DataFrame], pd.DataFrame], models: Sequence[str]
) -> pd.DataFrame:
    """Make a table of the first trainings, and add how far the further ones are from them.

    Parameters
    ----------
    values
        One row a visit and metric; the column `method` also holds `<model>__2` and so on.
    make
        From values of one training of each method to the table.
    models
        The trained ones; others have no repeats.

    Returns
    -------
    DataFrame
        The table of the first trainings with two more columns: `repeats`, the number of trainings
        whose mean is known, and `repeat_sd`, the sd (ddof 1) of these means, in the table's unit;
        missing for one training and for rows that are no model.
    """
    method, number = zip(*map(first_and_number, values["method"]), strict=True)
    numbers = pd.Series(number, index=values.index)
    values = values.assign(method=list(method))
    first = values[numbers == 1]
    table = make(first)
    means = [table.set_index(KEYS)["mean"]]
    for each in sorted(set(number) - {1}):
        own = values[numbers == each]
        repeated = own["method"].unique()
        made = make(pd.concat([first[~first["method"].isin(repeated)], own], ignore_index=True))
        means.append(made[made["method"].isin(repeated)].set_index(KEYS)["mean"])
    joined = pd.concat(means, axis=1).loc[means[0].index]
    trained = table["method"].isin(models).to_numpy()
    counts = joined.notna().sum(axis=1).to_numpy()
    return table.assign(
        repeats=pd.Series(counts, index=table.index, dtype="Int64").where(trained),
        repeat_sd=joined.std(axis=1, ddof=1).where(trained).to_numpy(),
    )
