"""What a table of image quality says of the networks that the local regression is better than."""

from collections.abc import Mapping

import pandas as pd

from mri2pet.evaluation.image_metrics import higher_is_better
from mri2pet.evaluation.image_tables import REFERENCES

SIMPLEST = "local_regression"
COMPARED_BY = ("MAE", "PSNR")  # the first that a table has
WHAT = (
    " {label} is no network: ridge regression of each voxel's PET on smoothed maps of the MRI, "
    "solved in closed form. "
)


def note_on_simplest(table: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Name the models of a table with a worse mean than the local regression.

    Parameters
    ----------
    table
        One row a method and metric: `method`, `metric`, `mean`.
    labels
        A model's name to the one that is shown.

    Returns
    -------
    str
        To be put behind a caption; empty for a table without the local regression, without another
        model, or that is not of image quality.
    """
    metric = next((name for name in COMPARED_BY if name in set(table["metric"])), "")
    means = table[table["metric"] == metric].set_index("method")["mean"].dropna()
    models = [name for name in means.index if name not in (*REFERENCES, SIMPLEST)]
    if SIMPLEST not in means or not models:
        return ""
    label = labels.get(SIMPLEST, SIMPLEST)
    better, other = ("higher", "lower") if higher_is_better(metric) else ("lower", "higher")
    sign = 1 if better == "higher" else -1
    worse = [name for name in models if sign * means[name] < sign * means[SIMPLEST]]
    names = ", ".join(labels.get(name, name) for name in worse)
    found = f"No model has a {other} {metric} than it."
    if worse:
        found = f"It has a {better} {metric} than: {names}."
    return WHAT.format(label=label) + found
