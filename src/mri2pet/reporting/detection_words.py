"""What the report says first of detectors: whether each is above chance in space."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mri2pet.anomaly.detection import CHANCE, SCORE
from mri2pet.anomaly.detection_tables import AREA, BEFORE, DATASETS, SENSITIVITY
from mri2pet.evaluation.image_metrics import words
from mri2pet.evaluation.resampling import LEVEL

FEW = 20  # patients: below, the interval of a sensitivity of one half is wider than .46
ABOVE, APART, BELOW, UNKNOWN = "above", "not apart", "below", "unknown"


def verdict(table: pd.DataFrame, detector: str) -> str:
    """Compare a detector's area under the detection curve with that of moved lesions.

    Parameters
    ----------
    table
        As `anomaly.detection_tables.detection_table` makes it.
    detector
        Its name.

    Returns
    -------
    `ABOVE` where the whole 95% interval lies above that of chance on held-out controls, `BELOW`
    where it lies below, `APART` where they overlap, `UNKNOWN` where one is missing.
    """
    own, chance = (_area(table, detector, ranking) for ranking in (SCORE, CHANCE))
    if own is None or chance is None or not np.isfinite([*own, *chance]).all():
        return UNKNOWN
    if own[0] > chance[1]:
        return ABOVE
    return BELOW if own[1] < chance[0] else APART


def lead(table: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Say which detectors are above chance in space, and what so few patients cannot tell.

    Parameters
    ----------
    table
        As for `verdict`.
    labels
        Detector to label, in the order in which they are named.
    """
    shown = [name for name in labels if (table["method"] == name).any()]
    sorted_out = {kind: [] for kind in (ABOVE, APART, BELOW, UNKNOWN)}
    for name in shown:
        sorted_out[verdict(table, name)].append(labels[name])
    count = patients(table, shown)
    said = [
        _one(sorted_out[ABOVE], "Above chance in space"),
        _one(sorted_out[BELOW], "Below chance in space"),
        _one(sorted_out[APART], "Not told apart from chance in space"),
        _one(sorted_out[UNKNOWN], "Too few people to tell whether above chance in space"),
    ]
    text = " ".join(part for part in said if part)
    return f"{text} {few(count)}".strip() if text else ""


def patients(table: pd.DataFrame, detectors: Sequence[str]) -> int:
    """Return how many patients with a known lesion some detectors were tested on."""
    own = table[(table["metric"] == SENSITIVITY) & table["method"].isin(detectors)]["n"]
    return int(own.max()) if len(own) else 0


def few(count: int) -> str:
    """Say what a number of patients cannot tell; nothing if they are many."""
    if count >= FEW:
        return ""
    if not count:
        return "No patient's lesion is known: nothing can be told of sensitivity."
    from scipy.stats import beta

    half = count // 2
    low, high = (
        beta.ppf((1 - LEVEL) / 2, half, count - half + 1) if half else 0.0,
        beta.ppf((1 + LEVEL) / 2, half + 1, count - half),
    )
    noun = "patient" if count == 1 else "patients"
    return (
        f"With {count} {noun} nothing can be told of differences between detectors, nor how "
        f"sensitive one is: of {half} found in {count}, the 95% interval goes from "
        f"{100 * low:.0f}% to {100 * high:.0f}%."
    )


def _one(detectors: Sequence[str], head: str) -> str:
    return f"{head}: {words(list(detectors))}." if detectors else ""


def _area(table: pd.DataFrame, detector: str, ranking: str) -> tuple[float, float] | None:
    """Return low and high of an area under a curve; None where the table does not have it."""
    own = table[
        (table["method"] == f"{BEFORE[ranking]}{detector}")
        & (table["dataset"] == DATASETS[ranking])
        & (table["metric"] == AREA)
    ]
    return None if own.empty else (float(own["low"].iloc[0]), float(own["high"].iloc[0]))
