"""Detection sensitivity over the number of clusters a patient, and that of a random ranking."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import pandas as pd

CURVE_COLUMNS = ("detector", "ranking", "clusters", "sensitivity", "patients")


@dataclass(frozen=True)
class Ranked:
    """One patient's clusters: how many there are, and the ranks of those that meet the lesion."""

    clusters: int
    hits: tuple[int, ...]

    def found(self, within: int) -> float:
        """Return 1 if one of the first `within` clusters meets the lesion."""
        return float(bool(self.hits) and min(self.hits) <= within)

    def by_chance(self, within: int) -> float:
        """Return the probability of `found` for the same clusters in random order."""
        if not self.hits:
            return 0.0
        drawn = min(within, self.clusters)
        return 1 - comb(self.clusters - len(self.hits), drawn) / comb(self.clusters, drawn)


def detection_curve(patients: Sequence[Ranked], most: int, detector: str = "") -> pd.DataFrame:
    """Share of patients whose lesion is among their first k clusters, for k from 1 to `most`.

    Returns
    -------
    DataFrame
        `CURVE_COLUMNS`; `ranking` is `score`, or `random`: what the same clusters would give in
        random order, exactly (no draws).
    """
    rows = []
    for ranking, measure in (("score", Ranked.found), ("random", Ranked.by_chance)):
        for within in range(1, most + 1):
            values = [measure(patient, within) for patient in patients]
            mean = float(np.mean(values)) if values else np.nan
            rows.append((detector, ranking, within, mean, len(patients)))
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS))


def area(curve: pd.DataFrame, ranking: str = "score") -> float:
    """Mean sensitivity over the numbers of clusters: the area under a curve, 0 to 1."""
    return float(curve.loc[curve["ranking"] == ranking, "sensitivity"].mean())
