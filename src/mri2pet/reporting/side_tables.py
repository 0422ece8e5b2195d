"""The report on side information: probes of the codes, and what would be there (D6, D10)."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet.evaluation.image_tables import REFERENCES
from mri2pet.files import read_tsv
from mri2pet.reporting.html import Listing
from mri2pet.reporting.spans import spanned

PROBES = (
    "After training, a regularised linear model (ridge regression of the age, logistic regression "
    "of sex and diagnosis) is fitted to the training people's codes of the MRI, their means over "
    "4x4x4 blocks, and asked about the people held out. Age: correlation of the predicted and the "
    "true age, both less the mean age of the training people; sex and diagnosis: balanced accuracy "
    "in percent. In brackets the 95% interval by resampling people. By chance: what a code that "
    "holds nothing gives. Gradient reversal is to bring the lower codes of a model with side "
    "information there; the top code may keep it. The MRI itself is the control. Of few people "
    "the intervals are wide: only large differences can be seen."
)
COUNTERFACTUAL = (
    "The people are simulated, so it is known what the PET would show if a person were of another "
    "age or diagnosis and the anatomy the same. Correlation, over the regions of the atlas, of the "
    "mean change that the synthetic PET shows with that which would be there; and by how much it "
    "changes where the true change is one: 1 if all of it is shown. Age: change a decade, over the "
    "ages told that lie within those of the training people. Diagnosis: from the healthiest to the "
    "most ill. The sd is over folds, each of which has another generator; in brackets the 95% "
    "interval by resampling people, which tells how alike the people asked are, and not how "
    "another training would have ended."
)
TOLD = {"age": "Age", "sex": "Sex", "diagnosis": "Diagnosis"}


def side_listings(paths: Iterable[str | Path], labels: Mapping[str, str]) -> list[Listing]:
    """Return the tables of counterfactuals and probes, of those that are there.

    Parameters
    ----------
    paths
        `counterfactual.tsv` and `probes.tsv` are found by their names.
    labels
        Model to label.
    """
    names = {**REFERENCES, **labels}
    found = {Path(path).name: path for path in paths}
    listings = []
    for name, title, caption, listing in (
        ("counterfactual.tsv", "Told another age or diagnosis: what would be there",
         COUNTERFACTUAL, counterfactual_listing),
        ("probes.tsv", "What the codes of the MRI still hold", PROBES, probes_listing),
    ):  # fmt: skip
        if name in found:
            listings.append(Listing(title, caption, listing(read_tsv(found[name]), names)))
    return listings


def counterfactual_listing(table: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return a table of counterfactuals as text: a row a model and metric."""
    rows = [
        {
            "Model": labels.get(row.method, row.method),
            "Metric": row.metric,
            "Mean": _value(row),
            "sd over folds": "n/a" if np.isnan(row.sd) else f"{row.sd:.2f}",
            "People": row.n,
        }
        for row in table.itertuples()
    ]
    return pd.DataFrame(rows)


def probes_listing(table: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return a table of probes as text: a row a source, a column an attribute, chance the last."""
    rows = []
    for (method, source), own in table.groupby(["method", "dataset"], sort=False):
        head = {"Model": labels.get(method, method), "Probed": source}
        rows.append(head | {TOLD[row.metric]: _value(row) for row in own.itertuples()})
    chance = {
        TOLD[row.metric]: f"{row.chance:.{_digits(row)}f}"
        for row in table.drop_duplicates("metric").itertuples()
    }
    return pd.DataFrame([*rows, {"Model": "By chance", "Probed": ""} | chance]).fillna("n/a")


def _digits(row: object) -> int:
    return 0 if row.unit == "percent" else 2


def _value(row: object) -> str:
    """Write a mean with its interval."""
    return spanned(row.mean, row.low, row.high, _digits(row))
