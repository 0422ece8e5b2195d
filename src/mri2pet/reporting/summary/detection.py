"""Whether any detector finds lesions better than by chance in space."""

from collections.abc import Mapping

import pandas as pd

from mri2pet.anomaly.detection import CHANCE, SCORE
from mri2pet.anomaly.detection_tables import AREA, BEFORE, DATASETS
from mri2pet.evaluation.image_metrics import words
from mri2pet.reporting.detection_words import ABOVE, APART, BELOW, UNKNOWN, few, patients, verdict
from mri2pet.reporting.summary.parts import Dot, Finding, Plot, between

SAID = {ABOVE: "above", APART: "cannot tell", BELOW: "below", UNKNOWN: "cannot tell"}
NOTE = (
    "Area under the detection curve: mean share of lesions found over the numbers of clusters "
    "looked at. Grey: the same lesions moved over held-out controls, that is chance. 95% "
    "intervals, over people."
)


def finding(table: pd.DataFrame, labels: Mapping[str, str]) -> Finding | None:
    """Say which detectors are above chance, from the table of detection."""
    shown = [name for name in labels if (table["method"] == name).any()]
    if not shown:
        return None
    verdicts = {name: verdict(table, name) for name in shown}
    above = [labels[name] for name in shown if verdicts[name] == ABOVE]
    if above:
        clause = f"above chance in space: {words(above)}"
    elif all(word == BELOW for word in verdicts.values()):
        clause = "every detector is below chance in space"
    else:
        clause = "no detector can be told to be above chance in space"
    dots = []
    for name in shown:
        mean, low, high = _row(table, name, SCORE)
        chance = _row(table, name, CHANCE)
        value = between(mean, low, high, 2)
        dots.append(Dot(labels[name], value, mean, low, high, [SAID[verdicts[name]]], chance))
    plot = Plot(
        "Lesions found, and by chance", "Area", 0.0, 1.0, dots, {}, ["Against chance"], NOTE
    )
    return Finding(clause, [text] if (text := few(patients(table, shown))) else [], [plot])


def _row(table: pd.DataFrame, detector: str, ranking: str) -> tuple[float, float, float]:
    """Return mean, low and high of an area; NaN where the table does not have it."""
    own = table[
        (table["method"] == f"{BEFORE[ranking]}{detector}")
        & (table["dataset"] == DATASETS[ranking])
        & (table["metric"] == AREA)
    ]
    if own.empty:
        return (float("nan"),) * 3
    return tuple(float(own[name].iloc[0]) for name in ("mean", "low", "high"))
