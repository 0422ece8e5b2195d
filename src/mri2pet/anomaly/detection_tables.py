"""The table of detectors: sensitivity beside that of a random ranking and the paper's."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mri2pet.anomaly.detection import Ranked, area, detection_curve
from mri2pet.anomaly.patients import ranked
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.evaluation.resampling import interval, subject_weights, weighted_mean

SENSITIVITY = "detection sensitivity"
FIRST = "sensitivity of the first cluster"
AREA = "area under the detection curve"
RANDOM = "random_"  # before a detector's name: its clusters in random order


def curves(patients: Mapping[str, pd.DataFrame], most: int) -> pd.DataFrame:
    """Make the detection curves of all detectors, each from its table of `patients.examine`.

    Returns
    -------
    DataFrame
        `detection.CURVE_COLUMNS`; a detector twice, ranked by score and at random.
    """
    made = [detection_curve(ranked(table), most, name) for name, table in patients.items()]
    return pd.concat(made, ignore_index=True)


def detection_table(
    curve: pd.DataFrame,
    published: pd.DataFrame,
    patients: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Sum the curves up, in long form (`evaluation.image_tables.COLUMNS`).

    `SENSITIVITY` is the share of patients whose lesion is met by any cluster kept, `FIRST` by the
    first one, `AREA` the mean over the numbers of clusters. Methods are the detectors, and each
    once more in random order. n counts the patients whose lesion is known; one patient is found or
    not, so there is no sd.

    Parameters
    ----------
    curve
        As `curves` makes it.
    published
        `model metric mean sd` of the paper.
    patients
        The tables that the curves are of, for the intervals: patients are resampled. None: the
        intervals are missing.
    """
    most = int(curve["clusters"].max())
    spans = {name: intervals(table, most) for name, table in (patients or {}).items()}
    printed = {(row.model, row.metric): row for row in published.itertuples(index=False)}
    rows = []
    for (detector, ranking), own in curve.groupby(["detector", "ranking"], sort=False):
        values = own.sort_values("clusters")["sensitivity"].to_numpy()
        method = detector if ranking == "score" else f"{RANDOM}{detector}"
        measures = {SENSITIVITY: values[-1], FIRST: values[0], AREA: area(own, ranking)}
        for metric, value in measures.items():
            paper = printed.get((method, metric))
            low, high = spans.get(detector, {}).get((ranking, metric), (np.nan, np.nan))
            rows.append(
                {
                    "dataset": "Patients",
                    "method": method,
                    "metric": metric,
                    "unit": "fraction",
                    "mean": value,
                    "sd": np.nan,
                    "n": int(own["patients"].iloc[0]),
                    "p_value": np.nan,
                    "published_mean": paper.mean if paper else np.nan,
                    "published_sd": paper.sd if paper else np.nan,
                    "low": low,
                    "high": high,
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def intervals(patients: pd.DataFrame, most: int) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the 95% intervals of one detector by resampling patients.

    Parameters
    ----------
    patients
        As `patients.examine` makes it; those whose lesion is known count.
    most
        Number of clusters up to which a curve goes.

    Returns
    -------
    Ranking (`score`, `random`) and metric to low and high; NaN with too few patients
    (`resampling.FEWEST`).
    """
    known = patients[patients["lesion_ml"].notna()]
    weights = subject_weights(known["subject"])
    found = {}
    for ranking, measure in (("score", Ranked.found), ("random", Ranked.by_chance)):
        values = [[measure(own, k) for k in range(1, most + 1)] for own in ranked(known)]
        by_cluster = np.reshape(values, (len(known), most))
        measures = {
            SENSITIVITY: by_cluster[:, -1],
            FIRST: by_cluster[:, 0],
            AREA: by_cluster.mean(axis=1),
        }
        for metric, own in measures.items():
            low, high = interval(weighted_mean(own, weights), known["subject"].nunique())
            found[ranking, metric] = (float(low), float(high))
    return found
