"""Sensitivity over false clusters a person: the free-response curve.

Bunch et al. (1977); the numbers of false clusters are those of Setio et al. (2017), Medical Image
Analysis 42. A cluster's confidence is its `excess`. It is comparable between people where all have
one threshold. Every cluster of a control is false.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.anomaly.intervals import Estimate, alike
from mri2pet.evaluation.resampling import interval, subject_weights

RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
COLUMNS = ("detector", "false_clusters", "sensitivity", "low", "high", "patients", "controls")
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
    keys = pd.MultiIndex.from_frame(controls[["subject", "visit"]])
    own = clusters.set_index(["subject", "visit"])["excess"]
    own = own[own.index.isin(keys)].sort_values(ascending=False, kind="stable")
    place = keys.get_indexer(own.index)
    mean_false = healthy[:, place].cumsum(axis=1) / healthy.sum(axis=1, keepdims=True)
    limits = np.append(own.to_numpy(float), -np.inf)
    fewest = min(patients["subject"].nunique(), controls["subject"].nunique())
    found = []
    for rate in rates:
        limit = limits[(mean_false <= rate + 1e-9).sum(axis=1)]
        shares = (ill * (best > limit[:, None])).sum(axis=1) / ill.sum(axis=1)
        mean = float(shares[0])
        found.append((mean, *alike(mean, *map(float, interval(shares[1:], fewest)), fewest)))
    return found


def free_response_curve(
    detector: str, patients: pd.DataFrame, controls: pd.DataFrame, clusters: pd.DataFrame
) -> pd.DataFrame:
    """Make the whole curve, up to the number of false clusters that all controls have.

    Parameters
    ----------
    detector
        Its name.
    patients, controls, clusters
        As for `sensitivity_at`.

    Returns
    -------
    DataFrame
        `COLUMNS`.
    """
    most = float(controls["clusters"].mean()) if len(controls) else 0.0
    rates = np.linspace(0, most, STEPS if most else 1)
    values = sensitivity_at(patients, controls, clusters, rates)
    numbers = (patients["subject"].nunique(), controls["subject"].nunique())
    rows = [(detector, rate, *own, *numbers) for rate, own in zip(rates, values, strict=True)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


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
