"""Sensitivity over false clusters a person: the free-response curve.

Bunch et al. (1977); the numbers of false clusters are those of Setio et al. (2017), Medical Image
Analysis 42. A cluster's confidence is its `excess`. It is comparable between people where all have
one threshold. Every cluster of a control is false. Chance: the patients' lesions moved over grey
matter (`chance`), met by those clusters of held-out controls that are above the same threshold.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.anomaly.chance import CONTROLS, within
from mri2pet.anomaly.detection import CHANCE, SCORE
from mri2pet.anomaly.intervals import Estimate, alike
from mri2pet.evaluation.resampling import FEWEST, interval, subject_weights

RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
COLUMNS = (
    *("detector", "ranking", "false_clusters", "sensitivity", "low", "high", "patients"),
    "controls",
)
STEPS = 41  # points of the curve that is drawn


def sensitivity_at(
    patients: pd.DataFrame,
    controls: pd.DataFrame,
    clusters: pd.DataFrame,
    rates: Sequence[float] = RATES,
) -> list[Estimate]:
    """Return the share of lesions found at a mean number of false clusters a control.

    Parameters
    ----------
    patients, controls
        `subject` and `visit` of patients whose lesion is known, and of held-out controls.
    clusters
        Of all of them: `subject`, `visit`, `excess`, `hit`.
    rates
        False clusters a control that are allowed.

    Returns
    -------
    list of (mean, low, high)
        Intervals: patients and controls are resampled; NaN with fewer than `resampling.FEWEST`.
    """
    if not len(patients) or not len(controls):
        return [(np.nan, np.nan, np.nan)] * len(rates)
    best = _best_hits(patients, clusters)
    ill, healthy = _weights(patients["subject"]), _weights(controls["subject"], turned=True)
    fewest = min(patients["subject"].nunique(), controls["subject"].nunique())
    return [
        _estimate((ill * (best > limit[:, None])).sum(axis=1) / ill.sum(axis=1), fewest)
        for limit in _limits(controls, clusters, healthy, rates)
    ]


def chance_at(
    patients: pd.DataFrame,
    controls: pd.DataFrame,
    clusters: pd.DataFrame,
    chance: pd.DataFrame,
    rates: Sequence[float] = RATES,
) -> list[Estimate]:
    """Return what `sensitivity_at` would be of lesions that are not there.

    Parameters
    ----------
    patients, controls, clusters, rates
        As for `sensitivity_at`.
    chance
        As `chance.chance_table` makes it. Patients whose lesion fits nowhere are left out.

    Returns
    -------
    list of (mean, low, high)
        The share of places of the lesions that a control's clusters find, over both.
    """
    steps = [name for name in chance if name.startswith(within(0)[:-1])]
    moved = chance[(chance["among"] == CONTROLS) & chance[steps].notna().all(axis=1)]
    moved = moved.set_index(["subject", "visit", "other"])[steps]
    whose = pd.MultiIndex.from_frame(moved.index.to_frame()[["subject", "visit"]])
    keys = pd.MultiIndex.from_frame(patients[["subject", "visit"]])
    patients = patients[keys.isin(whose)]
    if not len(patients) or not len(controls):
        return [(np.nan, np.nan, np.nan)] * len(rates)
    ill, healthy = _weights(patients["subject"]), _weights(controls["subject"], turned=True)
    wanted = [
        (subject, visit, other)
        for subject, visit in zip(patients["subject"], patients["visit"], strict=True)
        for other in controls["subject"]
    ]
    shares = moved.loc[wanted].to_numpy().reshape(len(patients), len(controls), len(steps))
    shares = np.pad(shares, [(0, 0), (0, 0), (1, 0)])  # without a cluster nothing is found
    of_controls = np.einsum("bp,pck->bck", ill, shares) / ill.sum(axis=1)[:, None, None]
    own = _ranked_excess(controls, clusters, len(steps))
    fewest = min(patients["subject"].nunique(), controls["subject"].nunique())
    found = []
    for limit in _limits(controls, clusters, healthy, rates):
        above = (own > limit[:, None, None]).sum(axis=2)
        values = np.take_along_axis(of_controls, above[..., None], axis=2)[..., 0]
        shares = (healthy * values).sum(axis=1) / healthy.sum(axis=1)
        mean, low, high = float(shares[0]), *map(float, interval(shares[1:], fewest))
        if np.isnan(low) and fewest >= FEWEST:  # above all clusters of controls: certainly none
            low = high = mean
        found.append((mean, low, high))
    return found


def free_response_curve(
    detector: str,
    patients: pd.DataFrame,
    controls: pd.DataFrame,
    clusters: pd.DataFrame,
    chance: pd.DataFrame,
) -> pd.DataFrame:
    """Make the whole curve and that of chance, up to all the false clusters that controls have.

    Parameters
    ----------
    detector
        Its name.
    patients, controls, clusters, chance
        As for `chance_at`.

    Returns
    -------
    DataFrame
        `COLUMNS`; `ranking` is `detection.SCORE` or `CHANCE`.
    """
    most = float(controls["clusters"].mean()) if len(controls) else 0.0
    rates = np.linspace(0, most, STEPS if most else 1)
    both = {
        SCORE: sensitivity_at(patients, controls, clusters, rates),
        CHANCE: chance_at(patients, controls, clusters, chance, rates),
    }
    numbers = (patients["subject"].nunique(), controls["subject"].nunique())
    rows = [
        (detector, ranking, rate, *own, *numbers)
        for ranking, values in both.items()
        for rate, own in zip(rates, values, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _limits(
    controls: pd.DataFrame, clusters: pd.DataFrame, healthy: NDArray, rates: Sequence[float]
) -> list[NDArray[np.float64]]:
    """Return for each rate the excess above which controls have so many clusters, (B,) each."""
    keys = pd.MultiIndex.from_frame(controls[["subject", "visit"]])
    own = clusters.set_index(["subject", "visit"])["excess"]
    own = own[own.index.isin(keys)].sort_values(ascending=False, kind="stable")
    place = keys.get_indexer(own.index)
    mean_false = healthy[:, place].cumsum(axis=1) / healthy.sum(axis=1, keepdims=True)
    limits = np.append(own.to_numpy(float), -np.inf)
    return [limits[(mean_false <= rate + 1e-9).sum(axis=1)] for rate in rates]


def _ranked_excess(controls: pd.DataFrame, clusters: pd.DataFrame, most: int) -> NDArray:
    """Return the excess of each control's clusters, largest first, (controls, most)."""
    out = np.full((len(controls), most), -np.inf)
    by_visit = dict(list(clusters.groupby(["subject", "visit"])["excess"]))
    for row, key in enumerate(zip(controls["subject"], controls["visit"], strict=True)):
        values = np.sort(by_visit.get(key, pd.Series(dtype=float)).to_numpy())[::-1][:most]
        out[row, : len(values)] = values
    return out


def _estimate(values: NDArray[np.float64], fewest: int) -> Estimate:
    """Return a mean, the first value, and its interval, by the others."""
    mean = float(values[0])
    return (mean, *alike(mean, *map(float, interval(values[1:], fewest)), fewest))


def _best_hits(patients: pd.DataFrame, clusters: pd.DataFrame) -> NDArray[np.float64]:
    """Return the largest excess of each patient's clusters that meet the lesion; none: -inf."""
    hits = clusters[clusters["hit"] == 1].groupby(["subject", "visit"])["excess"].max()
    keys = pd.MultiIndex.from_frame(patients[["subject", "visit"]])
    return hits.reindex(keys).fillna(-np.inf).to_numpy()


def _weights(subjects: pd.Series, turned: bool = False) -> NDArray[np.float64]:
    """Return the weights of the people at hand, and then of the resamples.

    Groups of the same size are drawn alike: in the other order, they are independent.
    """
    drawn = subject_weights(subjects)
    return np.concatenate([np.ones((1, len(subjects))), drawn[::-1] if turned else drawn])
