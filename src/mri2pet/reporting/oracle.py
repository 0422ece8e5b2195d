"""What the report says of the best PET that an MRI can tell, and of how near to it models come."""

from collections.abc import Mapping

import pandas as pd

from mri2pet.evaluation import gap
from mri2pet.evaluation.image_metrics import words
from mri2pet.evaluation.image_tables import REFERENCES

ORACLE = (
    " Oracle is the best PET that the MRI can tell, known because the people are simulated: the "
    "noise-free image of the uptake that a person of this anatomy, age and disease has on average, "
    "through the transforms and the scaling of the person's own scans. What it misses is noise and "
    "what differs between people without a trace in the MRI."
)
GAP = (
    " Gap closed: (MAE of Mean PET - MAE) / (MAE of Mean PET - MAE of Oracle), each averaged over "
    "the held-out visits of a fold before the division: 0% is no nearer to the real PET than the "
    "mean image, 100% is all that the MRI can tell."
)
TOO_SMALL = (
    " In no fold do Mean PET and Oracle differ by a tenth of the error: there is no gap to close."
)


def noted(caption: str, table: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Add to a table's caption what its rows and its metric of the best PET mean.

    Parameters
    ----------
    caption
        Without it.
    table
        Long, as `evaluation.image_tables` makes it: method metric mean.
    labels
        Model to label.

    Returns
    -------
    str
        With how much of the gap each model closes, the nearest first; the caption as it is where
        the table does not know the best PET.
    """
    shares = table[table["metric"] == gap.METRIC].set_index("method")["mean"]
    if gap.BEST in set(table["method"]) or len(shares):
        caption += ORACLE
    if len(shares):
        caption += GAP + _shares(shares.drop(list(REFERENCES), errors="ignore"), labels)
    return caption


def _shares(shares: pd.Series, labels: Mapping[str, str]) -> str:
    """Say in a sentence how much of the gap each model closes."""
    shares = shares.dropna().sort_values(ascending=False, kind="stable")
    if shares.empty:
        return TOO_SMALL
    closed = [(labels.get(str(model), str(model)), round(share)) for model, share in shares.items()]
    nearer = [f"{label} closes {share}%" for label, share in closed if share >= 0]
    worse = [f"{label} ({share}%)" for label, share in closed if share < 0]
    said = f" Of the gap {words(nearer)}." if nearer else ""
    if worse:
        said += f" Further from the real PET than the mean image: {words(worse)}."
    return said
