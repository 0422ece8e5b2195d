"""Detection over the number of clusters looked at: of the ranking, of its shuffle, and by chance.

Everything is kept patient by patient, so that patients can be resampled.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.anomaly.chance import CONTROLS
from mri2pet.anomaly.intervals import Estimate, crossed_interval, share_interval
from mri2pet.evaluation.resampling import subject_weights

CURVE_COLUMNS = ("detector", "ranking", "clusters", "sensitivity", "low", "high", "patients")
SCORE, CHANCE, SHUFFLED, ELSEWHERE = "score", "chance", "shuffled", "elsewhere"


@dataclass(frozen=True)
class Ranked:
    """One patient's clusters: how many there are, and the ranks of those that meet the lesion."""

    clusters: int
    hits: tuple[int, ...]

    def found(self, within: int) -> float:
        """Return 1 if one of the first `within` clusters meets the lesion."""
        return float(bool(self.hits) and min(self.hits) <= within)

    def shuffled(self, within: int) -> float:
        """Return the probability of `found` for the same clusters in random order."""
        if not self.hits:
            return 0.0
        drawn = min(within, self.clusters)
        return 1 - comb(self.clusters - len(self.hits), drawn) / comb(self.clusters, drawn)


@dataclass(frozen=True)
class Curves:
    """What a detector finds in each of m patients, within the first 1 to `most` clusters.

    Attributes
    ----------
    subjects
        (m,) labels of the patients whose lesion is known.
    found, shuffled
        (m, most): 0 or 1; the same clusters in random order, 0..1.
    chance
        (m, controls, most): the share of places of the lesion that the clusters of each held-out
        control find; missing where the lesion fits nowhere.
    elsewhere
        (m, most): likewise, by the patient's own clusters away from the lesion.
    controls
        Labels of the controls.
    """

    subjects: pd.Series
    found: NDArray[np.float64]
    shuffled: NDArray[np.float64]
    chance: NDArray[np.float64]
    elsewhere: NDArray[np.float64]
    controls: tuple[str, ...]

    @classmethod
    def of(cls, ranked: Sequence[Ranked], people: pd.DataFrame, chance: pd.DataFrame) -> "Curves":
        """Gather them.

        Parameters
        ----------
        ranked
            Of the m patients whose lesion is known.
        people
            (m rows) `subject` and `visit` of theirs.
        chance
            As `chance.chance_table` makes it.
        """
        columns = [name for name in chance if str(name).startswith("within_")]
        steps = range(1, len(columns) + 1)
        keys = pd.MultiIndex.from_frame(people[["subject", "visit"]])
        moved = chance[chance["among"] == CONTROLS]
        names = tuple(dict.fromkeys(moved["other"]))
        indexed = moved.set_index(["other", "subject", "visit"])[columns]
        own = chance[chance["among"] != CONTROLS].set_index(["subject", "visit"])[columns]
        by_control = [indexed.loc[name].reindex(keys).to_numpy(float) for name in names]
        shape = (len(people), len(columns))
        return cls(
            people["subject"].reset_index(drop=True),
            np.reshape([[each.found(k) for k in steps] for each in ranked], shape),
            np.reshape([[each.shuffled(k) for k in steps] for each in ranked], shape),
            np.stack(by_control, axis=1) if names else np.empty((len(people), 0, len(columns))),
            own.reindex(keys).to_numpy(float),
            names,
        )


def detection_curve(curves: Curves, detector: str) -> pd.DataFrame:
    """Share of patients whose lesion is among their first k clusters, beside chance.

    Returns
    -------
    DataFrame
        `CURVE_COLUMNS`; `ranking` is `score`; `chance`, the lesion moved over held-out controls; or
        `shuffled`, the same clusters in random order, exactly (no draws). Low and high: 95%, by
        resampling patients, and of chance controls as well.
    """
    rows = []
    for ranking in (SCORE, CHANCE, SHUFFLED):
        for k in range(1, curves.found.shape[1] + 1):
            mean, low, high = estimate(curves, ranking, lambda all_k, k=k: all_k[..., k - 1])
            rows.append((detector, ranking, k, mean, low, high, len(curves.subjects)))
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS))


def estimate(curves: Curves, ranking: str, measure: Callable[[NDArray], NDArray]) -> Estimate:
    """Return mean, low and high of a measure of the curves of one ranking.

    Parameters
    ----------
    curves
        Of one detector.
    ranking
        `score`, `shuffled`, `chance` (on controls) or `elsewhere` (the patients' own clusters).
    measure
        Takes (..., most) to (...): one of the steps, or the mean over all.
    """
    values = measure(values_of(curves, ranking))
    weights = subject_weights(curves.subjects)
    if values.ndim == 1:
        return share_interval(values, weights, curves.subjects.nunique())
    # groups of the same size are drawn alike: in the other order, they are independent
    others = subject_weights(pd.Series(curves.controls, dtype=str))[::-1]
    fewest = min(curves.subjects.nunique(), len(curves.controls))
    return crossed_interval(values, weights, others, fewest)


def values_of(curves: Curves, ranking: str) -> NDArray[np.float64]:
    """Return the curves of a ranking: (m, most), or (m, controls, most) of `chance`."""
    return {
        SCORE: curves.found,
        SHUFFLED: curves.shuffled,
        CHANCE: curves.chance,
        ELSEWHERE: curves.elsewhere,
    }[ranking]


def above_chance(curves: Curves) -> Estimate:
    """Return the area under the curve less that of the moved lesions on held-out controls.

    Patients, and controls with their clusters, are resampled; a patient's lesion and its places
    stay together.
    """
    found, chance = curves.found.mean(axis=1), curves.chance.mean(axis=2)
    known = np.isfinite(chance).all(axis=1)
    if not known.any() or not curves.controls:
        return np.nan, np.nan, np.nan
    gain = found[known, None] - chance[known]
    weights = subject_weights(curves.subjects[known])
    others = subject_weights(pd.Series(curves.controls, dtype=str))[::-1]
    fewest = min(curves.subjects[known].nunique(), len(curves.controls))
    return crossed_interval(gain, weights, others, fewest, least=-1.0)


def placement_test(curves: Curves, draws: int = 9999, seed: int = 1979) -> float:
    """Return p of the area under the curve, were the lesions anywhere else.

    One draw moves every patient's lesion to a random place on a random held-out control. p is the
    share of draws with as large a mean area or a larger one, the patients at hand counted as one
    more draw (Davison and Hinkley 1997, section 4.2). NaN where no lesion can be moved.
    """
    known = np.isfinite(curves.chance).all(axis=(1, 2))
    if not known.any() or not curves.controls:
        return np.nan
    reached = curves.chance[known].mean(axis=1)  # by the first k clusters
    most = reached.shape[1]
    drawn = np.random.default_rng(seed).random((draws, int(known.sum()), 1))
    areas = (drawn < reached).sum(axis=2).mean(axis=1) / most
    seen = curves.found[known].mean()
    return float((1 + (areas >= seen - 1e-12).sum()) / (draws + 1))
