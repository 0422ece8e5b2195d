"""Interpolation between two MRIs, and how smoothly the synthetic PET follows (GLA-GAN, Fig. 11).

A generator that has memorised its training images jumps from one to the next when its input moves
evenly (Radford et al. 2016); one that has learnt the mapping follows in even steps.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.diagnosis.features import feature_table, wide
from mri2pet.errors import InputError

STEP_COLUMNS = (
    "fold", "step", "weight", "negative_subject", "negative_visit", "positive_subject",
    "positive_visit", "step_norm",
)  # fmt: skip
COLUMNS = (*STEP_COLUMNS, "score", "probability_negative")


@dataclass(frozen=True)
class Visit:
    """Subject and visit of one scan."""

    subject: str
    visit: str


def typical_pair(
    predictions: pd.DataFrame, negative: str, positive: str
) -> tuple[Visit, Visit] | None:
    """Choose one held-out visit of each group: that with the median decision of its group.

    Parameters
    ----------
    predictions
        Of the classifier on real PET, one fold: subject visit group score.
    negative, positive
        The two groups. The lower median of an even number is taken, and the first by subject and
        visit of equals.

    Returns
    -------
    The negative and the positive visit; None if a group has no visit with a decision.
    """
    pair = []
    for group in (negative, positive):
        own = predictions[(predictions["group"] == group) & predictions["score"].notna()]
        if own.empty:
            return None
        ordered = own.sort_values(["score", "subject", "visit"])
        row = ordered.iloc[(len(ordered) - 1) // 2]
        pair.append(Visit(str(row["subject"]), str(row["visit"])))
    return pair[0], pair[1]


def pair_of(steps: pd.DataFrame) -> tuple[Visit, Visit] | None:
    """Return the two visits of a fold's steps (`step_table`), or None."""
    first = steps.iloc[0]
    if pd.isna(first["negative_subject"]):
        return None
    negative, positive = (
        Visit(str(first[f"{role}_subject"]), str(first[f"{role}_visit"]))
        for role in ("negative", "positive")
    )
    return negative, positive


def dataset_row(visits: pd.DataFrame, visit: Visit) -> int:
    """Return a visit's row in the dataset's arrays; `visits` has index subject visit."""
    same = (visits["subject"] == visit.subject) & (visits["visit"] == visit.visit)
    if same.sum() != 1:
        raise InputError(
            f"visits.tsv: {visit.subject} {visit.visit} stands there {same.sum()} times; make the "
            "dataset and the diagnosis again"
        )
    return int(visits.loc[same, "index"].iloc[0])


def blend(start: NDArray, end: NDArray, weights: Sequence[float]) -> Iterator[NDArray]:
    """Yield (1 - w) start + w end for every weight, float32; the ends are exact."""
    for weight in weights:
        mixed = np.asarray(start, np.float32) * np.float32(1 - weight)
        yield mixed + np.asarray(end, np.float32) * np.float32(weight)


def step_norms(pet: NDArray, mask: NDArray) -> NDArray:
    """Return the root mean square difference of each PET (S, X, Y, Z) from the one before.

    Inside the mask (X, Y, Z); (S,), of which the first is NaN.
    """
    inside = np.asarray(pet, dtype=np.float64)[:, mask]
    return np.append(np.nan, np.sqrt((np.diff(inside, axis=0) ** 2).mean(axis=1)))[: len(pet)]


def smoothness(norms: NDArray) -> float:
    """Return the largest step over the mean step.

    1 when all steps are equal, as they are, by construction, in the linear interpolation of the
    two end PETs; the number of steps when all of the change is in one. NaN if nothing changes.
    """
    steps = norms[np.isfinite(norms)]
    return float(steps.max() / steps.mean()) if len(steps) and steps.mean() > 0 else np.nan


def spearman(values: NDArray) -> float:
    """Return the rank correlation of values with their order; NaN if they do not change."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2 or not np.isfinite(values).all() or np.ptp(values) == 0:
        return np.nan
    return float(np.corrcoef(pd.Series(values).rank(), np.arange(len(values)))[0, 1])


def step_table(
    fold: int, weights: Sequence[float], pair: tuple[Visit, Visit] | None, norms: NDArray | None
) -> pd.DataFrame:
    """List the steps of one fold; columns `STEP_COLUMNS`, missing where there is no pair."""
    negative, positive = pair or (None, None)
    columns = {
        "fold": fold,
        "step": np.arange(1, len(weights) + 1),
        "weight": np.asarray(weights, dtype=float),
        "negative_subject": negative.subject if negative else None,
        "negative_visit": negative.visit if negative else None,
        "positive_subject": positive.subject if positive else None,
        "positive_visit": positive.visit if positive else None,
        "step_norm": np.nan if norms is None else norms,
    }
    return pd.DataFrame(columns)[list(STEP_COLUMNS)]


def step_features(
    mri: NDArray,
    pet: NDArray,
    tissues: Mapping[str, NDArray],
    atlas: NDArray,
    mask: NDArray,
    names: Sequence[str],
) -> NDArray:
    """Return the classifier's features (S, 464) of interpolated MRI and synthetic PET.

    Parameters
    ----------
    mri, pet
        (S, X, Y, Z).
    tissues
        `GM` and `WM` to (S, X, Y, Z) probabilities, interpolated as the MRI is.
    atlas, mask, names
        As for `diagnosis.features.feature_table`.
    """
    steps = np.arange(len(mri))
    rows = pd.DataFrame({"index": steps, "subject": "", "visit": "", "group": "", "kind": ""})
    tables = [
        wide(feature_table(rows, modality, images, tissues, atlas, mask, names), modality)
        for modality, images in (("MRI", mri), ("PET", pet))
    ]
    return np.hstack([table.loc[steps].to_numpy(dtype=float) for table in tables])


def with_decisions(
    steps: pd.DataFrame, score: NDArray | None, probability: NDArray | None
) -> pd.DataFrame:
    """Add the classifier's decisions to the steps of one fold; columns `COLUMNS`.

    Parameters
    ----------
    steps
        Of `step_table`.
    score
        (S,) decision values, high for the positive group; None if there are none.
    probability
        (S,) of the positive group.
    """
    return steps.assign(
        score=np.nan if score is None else score,
        probability_negative=np.nan if probability is None else 1 - probability,
    )[list(COLUMNS)]


def with_summary(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Pool the folds' steps and add one row a fold, without a step, with its two numbers.

    `smoothness` is that of the steps; `spearman` the rank correlation of minus the score with the
    step: the probability has the score's order, unless its sigmoid is flat and says nothing.
    """
    pooled = pd.concat(tables, ignore_index=True).astype({"step": "Int64"})
    summary = [
        {
            "fold": fold,
            "step_norm": rows["step_norm"].mean(),
            "smoothness": smoothness(rows["step_norm"].to_numpy(dtype=float)),
            "spearman": spearman(-rows["score"].to_numpy(dtype=float)),
        }
        for fold, rows in pooled.groupby("fold")
    ]
    return pd.concat([pooled, pd.DataFrame(summary)], ignore_index=True)[
        [*COLUMNS, "smoothness", "spearman"]
    ]
