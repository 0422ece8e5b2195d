"""How age and Alzheimer's disease change each AAL region, as published averages suggest.

The figures are round ones: regional FDG of healthy elders relative to mean grey matter, percent
of volume lost by ageing (each decade after 40) and by average AD, percent of uptake lost by
ageing (each decade after 60) and by average AD. Sources for the pattern: Herholz 2002 (AD's
temporo-parietal and posterior cingulate hypometabolism, spared cerebellum and basal ganglia),
Kalpouzos 2009 (frontal decline with age), Fjell 2009 (volume loss in healthy ageing).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#    name begins with       FDG  atrophy age, AD   uptake age, AD
PATTERN: tuple[tuple[str, float, float, float, float, float], ...] = (
    ("Hippocampus", 0.78, 2.5, 32, 0.8, 16),
    ("ParaHippocampal", 0.80, 2.0, 25, 0.8, 14),
    ("Amygdala", 0.75, 2.0, 27, 0.8, 10),
    ("Cingulum_Post", 1.16, 1.5, 14, 0.8, 27),
    ("Cingulum_Ant", 0.98, 2.0, 5, 5.0, 4),
    ("Cingulum_Mid", 1.05, 1.5, 6, 2.0, 9),
    ("Precuneus", 1.10, 1.5, 14, 0.8, 23),
    ("Angular", 1.06, 1.5, 15, 0.8, 25),
    ("SupraMarginal", 1.03, 1.5, 12, 0.8, 18),
    ("Parietal_Inf", 1.06, 1.5, 14, 0.8, 23),
    ("Parietal_Sup", 1.02, 1.5, 11, 0.8, 16),
    ("Temporal_Inf", 0.93, 2.0, 17, 1.5, 20),
    ("Temporal_Mid", 0.98, 2.0, 17, 1.0, 22),
    ("Temporal_Sup", 0.99, 2.0, 11, 1.0, 12),
    ("Temporal_Pole", 0.82, 2.0, 15, 2.0, 10),
    ("Fusiform", 0.94, 2.0, 14, 1.0, 12),
    ("Insula", 0.98, 2.0, 8, 3.0, 3),
    ("Heschl", 1.10, 1.5, 5, 1.0, 3),
    ("Frontal", 1.06, 2.5, 6, 4.0, 7),
    ("Rectus", 0.95, 2.5, 6, 4.0, 5),
    ("Olfactory", 0.85, 2.0, 6, 3.0, 4),
    ("Supp_Motor", 1.03, 2.0, 3, 2.5, 2),
    ("Precentral", 1.02, 1.5, 2, 1.5, 0),
    ("Postcentral", 1.00, 1.0, 2, 0.8, 0),
    ("Paracentral", 0.98, 1.0, 2, 0.8, 0),
    ("Rolandic", 1.02, 1.5, 3, 1.0, 0),
    ("Calcarine", 1.14, 0.8, 2, 0.5, 0),
    ("Cuneus", 1.10, 0.8, 4, 0.5, 2),
    ("Lingual", 1.03, 0.8, 4, 0.5, 2),
    ("Occipital", 1.04, 0.8, 6, 0.5, 6),
    ("Caudate", 1.10, 2.0, 6, 2.0, 3),
    ("Putamen", 1.22, 2.0, 5, 1.5, 0),
    ("Pallidum", 0.95, 1.5, 2, 1.5, 0),
    ("Thalamus", 1.09, 2.0, 7, 2.0, 3),
    ("Cerebelum", 0.90, 1.0, 0, 0.3, 0),
    ("Vermis", 0.90, 1.0, 0, 0.3, 0),
)


@dataclass(frozen=True)
class Regions:
    """The 116 regions: names and, in the order of their index 1..116, what `PATTERN` says."""

    names: tuple[str, ...]
    uptake: NDArray[np.float64]
    atrophy_age: NDArray[np.float64]
    atrophy_ad: NDArray[np.float64]
    uptake_age: NDArray[np.float64]
    uptake_ad: NDArray[np.float64]


def regions(names: list[str]) -> Regions:
    """Look the pattern up for AAL's names; percents become fractions."""
    rows = np.array(
        [next(row[1:] for row in PATTERN if name.startswith(row[0])) for name in names], float
    )
    return Regions(tuple(names), rows[:, 0], *(rows[:, 1:] / 100).T)


@dataclass(frozen=True)
class Healthy:
    """What differs between healthy adults in anatomy and uptake alike.

    Attributes
    ----------
    trait
        (116,), how much more grey matter than the average each region has, in standard deviations
        between people.
    coupling
        Share of the between-person variance of a region's healthy uptake that `trait` explains, 0
        to 1.
    """

    trait: NDArray[np.float64]
    coupling: float


def deviations(rng: np.random.Generator, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Draw how far one person's regions are from the average, shape (116,), of variance 1.

    Two thirds of the variance is shared by regions whose names begin alike (left and right), one
    third is each region's own.
    """
    families = [next(k for k, row in enumerate(PATTERN) if n.startswith(row[0])) for n in names]
    shared = rng.normal(size=len(PATTERN))[families]
    own = rng.normal(size=len(names))
    return np.sqrt(2 / 3) * shared + np.sqrt(1 / 3) * own


def variation(rng: np.random.Generator, names: tuple[str, ...], sd: float) -> NDArray[np.float64]:
    """Draw one person's factors around 1, shape (116,): `deviations` on a logarithmic scale."""
    return np.exp(sd * deviations(rng, names))
