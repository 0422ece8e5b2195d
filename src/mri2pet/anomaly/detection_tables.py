"""The table of detectors: sensitivity beside chance, false alarms, and detectors compared."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.anomaly.detection import (
    CHANCE,
    ELSEWHERE,
    SCORE,
    SHUFFLED,
    Curves,
    above_chance,
    estimate,
    placement_test,
)
from mri2pet.anomaly.free_response import RATES, chance_at, sensitivity_at
from mri2pet.anomaly.intervals import Estimate, count_interval, difference_interval, share_interval
from mri2pet.anomaly.patients import known, ranked
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.evaluation.resampling import subject_weights
from mri2pet.evaluation.statistics import holm, mcnemar_test

SENSITIVITY = "detection sensitivity"
FIRST = "sensitivity of the first cluster"
AREA = "area under the detection curve"
ABOVE = "area above chance"
SPECIFICITY = "specificity"
FALSE = "false clusters a person"
PATIENTS, CONTROLS, REST = "Patients", "Held-out controls", "Patients, away from the lesion"
BEFORE = {CHANCE: "chance_", SHUFFLED: "shuffled_", ELSEWHERE: "chance_", SCORE: ""}
DATASETS = {CHANCE: CONTROLS, SHUFFLED: PATIENTS, ELSEWHERE: REST, SCORE: PATIENTS}
TESTS = ("metric", "first", "second", "n", "difference", "low", "high", "p_value", "p_holm")
Measure = Callable[[NDArray], NDArray]


@dataclass(frozen=True)
class Found:
    """What one detector has found: tables of `patients.examine` and of `chance.chance_table`."""

    patients: pd.DataFrame
    controls: pd.DataFrame
    clusters: pd.DataFrame
    chance: pd.DataFrame

    def curves(self) -> Curves:
        """Gather the curves of the patients whose lesion is known."""
        return Curves.of(ranked(self.patients), known(self.patients), self.chance)


def of_first(k: int) -> str:
    """Return the name of the sensitivity of the first k clusters."""
    return FIRST if k == 1 else f"sensitivity of the first {k} clusters"


def at_rate(rate: float) -> str:
    """Return the name of the sensitivity at a number of false clusters a control."""
    return f"sensitivity at {rate:g} false clusters a control"


def measures(most: int) -> dict[str, Measure]:
    """Return what is measured of curves (..., most), by metric."""
    steps = {of_first(k): lambda all_k, k=k: all_k[..., k - 1] for k in range(1, most + 1)}
    return {
        SENSITIVITY: lambda all_k: all_k[..., -1],
        **steps,
        AREA: lambda all_k: all_k.mean(axis=-1),
    }


def detection_table(found: Mapping[str, Found], published: pd.DataFrame) -> pd.DataFrame:
    """Sum detectors up, in long form (`evaluation.image_tables.COLUMNS`).

    Rows of a detector, of dataset `PATIENTS`: `SENSITIVITY` (by any cluster kept), that of the
    first k clusters, `AREA` (the mean over k), `ABOVE` (less that of chance), and the sensitivity
    at numbers of false clusters a control. Of `CONTROLS`: `SPECIFICITY`, the share without a
    cluster, and `FALSE`. Rows `chance_<detector>`: lesions moved, over the clusters of `CONTROLS`
    (at numbers of false clusters, too), or the patients' own (`REST`). Rows `shuffled_<detector>`:
    the same clusters in random order.

    Parameters
    ----------
    found
        Detector to what it has found; the first is what others are compared with.
    published
        `model metric mean sd` of the paper.

    Returns
    -------
    DataFrame
        n counts patients whose lesion is known, or controls. p of a sensitivity: McNemar's exact
        test against the first detector, `p_holm` corrected over detectors; p of `ABOVE`:
        `detection.placement_test`. Low and high: 95%.
    """
    printed = {(row.model, row.metric): row for row in published.itertuples(index=False)}
    curves = {name: each.curves() for name, each in found.items()}
    rows = []
    for name, each in found.items():
        rows += _curve_rows(name, curves[name], curves[next(iter(curves))])
        rows += _alarm_rows(name, each)
    table = pd.DataFrame(rows)
    paper = [printed.get((row.method, row.metric)) for row in table.itertuples()]
    table["published_mean"] = [each.mean if each else np.nan for each in paper]
    table["published_sd"] = [each.sd if each else np.nan for each in paper]
    compared = table["metric"] != ABOVE
    family = table[compared].groupby(["dataset", "metric"])["p_value"]
    table.loc[compared, "p_holm"] = family.transform(lambda p: holm(p))
    return table.reindex(columns=list(COLUMNS))


def detector_tests(found: Mapping[str, Found]) -> pd.DataFrame:
    """Compare every two detectors over the same patients.

    Returns
    -------
    DataFrame
        `TESTS`: the difference is first minus second, its interval by resampling patients; p of
        McNemar's exact test, corrected over all pairs of a metric (Holm 1979).
    """
    curves = {name: each.curves() for name, each in found.items()}
    rows = []
    for metric in (SENSITIVITY, FIRST):
        for pair in itertools.combinations(found, 2):
            first, second = (_by_subject(curves[name], metric) for name in pair)
            gain = (first - second).dropna()
            weights = subject_weights(gain.index.to_series())
            values = difference_interval(gain.to_numpy(), weights, len(gain))
            rows.append((metric, *pair, len(gain), *values, mcnemar_test(first, second)))
    tests = pd.DataFrame(rows, columns=list(TESTS[:-1]))
    return tests.assign(p_holm=tests.groupby("metric")["p_value"].transform(lambda p: holm(p)))


def _curve_rows(name: str, curves: Curves, reference: Curves) -> list[dict[str, object]]:
    """Return the rows of one detector's curves, of chance and of the shuffle."""
    rows = []
    people = curves.subjects.nunique()
    for ranking in (SCORE, CHANCE, ELSEWHERE, SHUFFLED):
        for metric, measure in measures(curves.found.shape[1]).items():
            p = np.nan
            if ranking == SCORE and metric != AREA and curves is not reference:
                p = mcnemar_test(_by_subject(curves, metric), _by_subject(reference, metric))
            values = estimate(curves, ranking, measure)
            rows.append(
                _row(DATASETS[ranking], BEFORE[ranking] + name, metric, "fraction", people, values)
                | {"p_value": p}
            )
    last = _row(PATIENTS, name, ABOVE, "fraction", people, above_chance(curves))
    return [*rows, last | {"p_value": placement_test(curves)}]


def _alarm_rows(name: str, each: Found) -> list[dict[str, object]]:
    """Return the rows of one detector on false alarms."""
    patients, controls = known(each.patients), each.controls
    people, healthy = patients["subject"].nunique(), controls["subject"].nunique()
    given = (patients, controls, each.clusters)
    both = {SCORE: sensitivity_at(*given), CHANCE: chance_at(*given, each.chance)}
    rows = [
        _row(DATASETS[ranking], BEFORE[ranking] + name, at_rate(rate), "fraction", people, own)
        for ranking, values in both.items()
        for rate, own in zip(RATES, values, strict=True)
    ]
    counts, weights = controls["clusters"].to_numpy(float), subject_weights(controls["subject"])
    clean = share_interval((counts == 0).astype(float), weights, healthy)
    false = count_interval(counts, weights, healthy)
    return [
        *rows,
        _row(CONTROLS, name, SPECIFICITY, "fraction", healthy, clean),
        _row(CONTROLS, name, FALSE, "clusters", healthy, false),
    ]


def _row(
    dataset: str, method: str, metric: str, unit: str, people: int, values: Estimate
) -> dict[str, object]:
    mean, low, high = values
    keys = {"dataset": dataset, "method": method, "metric": metric, "unit": unit}
    return keys | {"mean": mean, "n": people, "low": low, "high": high, "p_value": np.nan}


def _by_subject(curves: Curves, metric: str) -> pd.Series:
    """Return a metric of what was found of each patient, 0..1, by subject."""
    values = measures(curves.found.shape[1])[metric](curves.found)
    return pd.Series(values).groupby(curves.subjects.to_numpy()).mean()
