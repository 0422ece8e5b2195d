"""Whether a diagnosis gains by synthetic PET beside what the MRI alone tells."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mri2pet.evaluation.image_tables import REFERENCES
from mri2pet.reporting.summary.parts import BETTER, UNTOLD, WORSE, Finding, people
from mri2pet.reporting.views import SIGNIFICANT

METRICS = ("AUC", "accuracy")  # the first that has a value; of both more is better
CONTROLS = {"only_mri": "MRI alone", "mri_age_sex": "MRI, age and sex"}
CLAUSES = {
    BETTER: "the diagnosis gains by synthetic PET over the MRI alone",
    WORSE: "the diagnosis loses by synthetic PET against the MRI alone",
    UNTOLD: "whether the diagnosis gains by synthetic PET cannot be told",
}


def verdict_of(rows: pd.DataFrame) -> str:
    """Compare the model with the highest mean with the rows that see no PET.

    Parameters
    ----------
    rows
        One dataset and metric of a table of diagnoses: method mean p_holm, whose p is against the
        model with the highest mean.

    Returns
    -------
    `BETTER` if it is above every such row with a corrected p below 0.05, `WORSE` if it is below
    one, `UNTOLD` otherwise.
    """
    by_method = rows.set_index("method")
    models = by_method.drop(list(REFERENCES), errors="ignore")["mean"].dropna()
    controls = by_method.loc[[name for name in CONTROLS if name in by_method.index]]
    if models.empty or controls.empty:
        return UNTOLD
    apart = controls["p_holm"] < SIGNIFICANT
    if (apart & (controls["mean"] > models.max())).any():
        return WORSE
    return BETTER if (apart & (controls["mean"] < models.max())).all() else UNTOLD


def finding(table: pd.DataFrame, labels: Mapping[str, str]) -> Finding | None:
    """Say whether the diagnosis gains, from the first dataset of a table of diagnoses."""
    table = table[table["dataset"] == table["dataset"].iloc[0]]
    for metric in METRICS:
        rows = table[table["metric"] == metric]
        models = rows[~rows["method"].isin(REFERENCES)].dropna(subset="mean")
        if not models.empty:
            break
    else:
        return None
    top = models.loc[models["mean"].idxmax()]
    ties = int(np.isclose(models["mean"], top["mean"]).sum())
    who = labels.get(top["method"], top["method"]) if ties == 1 else f"{ties} models"
    said = [f"synthetic PET at most {top['mean']:.2f} ({who})"]
    means = rows.set_index("method")["mean"]
    for name, word in {**CONTROLS, "real_pet": "real PET"}.items():
        if name in means.index and np.isfinite(means[name]):
            said.append(f"{word} {means[name]:.2f}")
    many = people(int(top["n"]))
    word = verdict_of(rows)
    clause = CLAUSES[word] + (f" from {many}" if word == UNTOLD else "")
    return Finding(clause, [f"Diagnosis, {metric}, {many}: {', '.join(said)}."])
