"""The table of injected lesions: how often each is found at each depth, and from which one on."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mri2pet.anomaly.detection_tables import FIRST, SENSITIVITY
from mri2pet.anomaly.patients import ranked
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.evaluation.resampling import interval, subject_weights, weighted_mean

FLOOR = "detection floor"
FURTHER = ("lesion", "depth")  # columns after those of all tables
HALF = 0.5


def injection_table(found: Mapping[str, pd.DataFrame], most: int) -> pd.DataFrame:
    """Sum up what the detectors found, in long form (`evaluation.image_tables.COLUMNS`).

    `SENSITIVITY` is the share of people in whom a cluster meets the lesion, `FIRST` the first
    cluster. At depth 0 nothing was injected: what is found there is found by chance. `FLOOR` is the
    smallest depth from which on the lesion is met by any cluster in at least half of the people,
    and in more than by chance: the interval lies above what depth 0 has.

    Parameters
    ----------
    found
        Detector to its table, as `injected_scores.find_injected` makes it, of all people.
    most
        Clusters kept a person.

    Returns
    -------
    DataFrame
        `COLUMNS` and `FURTHER`; n counts people, low and high resample them.
    """
    rows = [
        row
        for name, table in found.items()
        for lesion, own in table.groupby("lesion", sort=False)
        for row in _of_lesion(name, str(lesion), own, most)
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, *FURTHER])


def _of_lesion(
    detector: str, lesion: str, table: pd.DataFrame, most: int
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one detector and lesion."""
    about = {"dataset": "Injected", "method": detector, "unit": "fraction", "lesion": lesion}
    spans = {}
    for depth, own in table.groupby("depth"):
        weights, people = subject_weights(own["subject"]), own["subject"].nunique()
        for metric, within in ((SENSITIVITY, most), (FIRST, 1)):
            values = np.array([patient.found(within) for patient in ranked(own)])
            low, high = (float(end) for end in interval(weighted_mean(values, weights), people))
            mean = float(values.mean())
            spans[metric, depth] = mean, low
            yield (
                about
                | {"metric": metric, "mean": mean, "n": people, "low": low, "high": high}
                | {"depth": depth}
            )
    depths = sorted(depth for metric, depth in spans if metric == SENSITIVITY and depth > 0)
    reached = [_above(spans, depth) for depth in depths]
    floor = next((d for place, d in enumerate(depths) if all(reached[place:])), np.nan)
    yield about | {"metric": FLOOR, "mean": floor, "n": table["subject"].nunique()}


def _above(spans: Mapping[tuple[str, float], tuple[float, float]], depth: float) -> bool:
    """Tell whether a lesion is found at a depth: in half of the people, and beyond chance."""
    mean, low = spans[SENSITIVITY, depth]
    chance = spans.get((SENSITIVITY, 0.0), (0.0, 0.0))[0]
    least = mean if np.isnan(low) else low  # no interval where all are found, or none
    return mean >= HALF and least > chance
