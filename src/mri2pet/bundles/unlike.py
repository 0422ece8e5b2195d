"""Whether an MRI is like those that a model was trained on, in numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray
BINS = 64  # of an MRI's intensities from 0 to 1
# Key of the configuration's block `apply.limits`: what is compared with it, in words.
LIMITS = {
    "measure_sd": "standard deviations of the training people from their mean",
    "histogram": "times as far from the mean histogram as the farthest training visit",
    "age_years": "years outside the ages trained on",
}


def histogram(volume: Array, mask: Array) -> Array:
    """Return the cumulative histogram (BINS,) of an MRI from 0 to 1 inside the brain, 0 to 1."""
    counts, _ = np.histogram(np.asarray(volume)[mask], bins=BINS, range=(0.0, 1.0))
    return np.cumsum(counts) / max(int(counts.sum()), 1)


def distance(one: Array, other: Array) -> float:
    """Return the area between two cumulative histograms, which is how far intensities are moved."""
    return float(np.abs(np.asarray(one) - np.asarray(other)).mean())


def histogram_spread(histograms: Array) -> dict[str, Any]:
    """Return the mean of histograms (N, BINS), and how far each lies from that of the others."""
    count = len(histograms)
    mean = histograms.mean(axis=0)
    apart = [
        distance(own, (mean * count - own) / (count - 1)) if count > 1 else 0.0
        for own in histograms
    ]
    told = {"mean": float(np.mean(apart)), "largest": float(np.max(apart))}
    return {"histogram": mean.round(6).tolist(), "histogram_distance": told}


def unlikeness(
    like: Mapping[str, Any],
    ages: list[float],
    volume: Array,
    mask: Array,
    measures: Mapping[str, float | None],
    age: float | None,
) -> dict[str, float]:
    """Compare an MRI and its person with those of a training.

    Parameters
    ----------
    like
        As `people.likeness` gives it.
    ages
        Youngest and oldest age that were trained on, years; empty where not told.
    volume, mask
        (X, Y, Z) the MRI on the grid of the networks, 0 to 1; bool.
    measures
        Of the MRI's quality control.
    age
        Years; None where not known.

    Returns
    -------
    dict
        `sd_<measure>` for each measure that both have, `histogram` and, where the age is known,
        `age_years`: the numbers to which `LIMITS` belong.
    """
    found = {}
    for name, usual in like["measures"].items():
        value = measures.get(name)
        if value is not None and usual["sd"] > 0:
            found[f"sd_{name}"] = abs(value - usual["mean"]) / usual["sd"]
    largest = like["histogram_distance"]["largest"]
    apart = distance(histogram(volume, mask), np.array(like["histogram"]))
    found["histogram"] = apart / largest if largest > 0 else 0.0
    if age is not None and np.isfinite(age) and ages:
        found["age_years"] = max(ages[0] - age, age - ages[1], 0.0)
    return found


def remarks(found: Mapping[str, float], limits: Mapping[str, float]) -> list[str]:
    """Say of an MRI what is unlike, with the number that says so; nothing where it is like.

    Parameters
    ----------
    found
        As `unlikeness` gives it.
    limits
        The block `apply.limits`: above which a number is told.
    """
    said = []
    for name, value in found.items():
        key = "measure_sd" if name.startswith("sd_") else name
        if value > limits[key]:
            what = name.removeprefix("sd_").replace("_", " ")
            what = {"histogram": "intensities", "age years": "age"}.get(what, what)
            said.append(f"{what}: {value:.1f} {LIMITS[key]} (limit {limits[key]:g})")
    return said
