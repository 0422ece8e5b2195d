"""What a likelihood model of images must do better than: each voxel by itself, without the MRI."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mri2pet.errors import InputError
from mri2pet.evaluation.intervals import NOMINAL, crps_of_gaussian, crps_of_student
from mri2pet.evaluation.visit_intervals import Bounds, bounds_of_quantiles, spread_scores

BINS = 256  # grey levels of a unit, as a flow's likelihood has them
NOISES = 2
METHODS = ("voxel_gaussian", "voxel_t")

Array = NDArray[Any]
FEWEST = 3  # visits that a voxel's sd is taken of


@dataclass(frozen=True)
class Voxelwise:
    """Mean and sd of each voxel over training visits, and what a further visit may then be.

    Attributes
    ----------
    mean, variance
        (X, Y, Z), the latter with ddof 1.
    visits
        Of which they are.
    student
        Predict by Student's t of so many degrees of freedom less one and a scale of
        sqrt(variance (1 + 1 / visits)), as is right for Gaussian values whose variance is
        estimated; otherwise by the Gaussian of mean and variance.
    """

    mean: Array
    variance: Array
    visits: int
    student: bool

    @classmethod
    def of(cls, volumes: Array, student: bool, seen: Array | None = None) -> "Voxelwise":
        """Fit it to volumes (N, X, Y, Z), N at least `FEWEST`, where measured (`seen`; None: all).

        A voxel that fewer than two visits have measured is given the variance 0.
        """
        if len(volumes) < FEWEST:
            raise InputError(
                f"{len(volumes)} training visits are too few for the sd of a voxel; {FEWEST} are "
                "needed"
            )
        whole = np.asarray(volumes, np.float64)
        known = np.ones(whole.shape, bool) if seen is None else seen
        count = known.sum(axis=0)
        mean = np.where(known, whole, 0).sum(axis=0) / np.maximum(count, 1)
        squares = np.where(known, (whole - mean) ** 2, 0).sum(axis=0)
        return cls(mean, squares / np.maximum(count - 1, 1), len(whole), student)

    def scale(self, variance: Array) -> Array:
        """Return sd, or scale of Student's t, of a further visit."""
        factor = 1 + 1 / self.visits if self.student else 1.0
        return np.sqrt(factor * variance)

    def interval(self, inside: Array) -> tuple[Array, Bounds]:
        """Return centre and intervals of the voxels of a mask, (V,) each."""
        from scipy.stats import norm, t

        def quantile(share: float) -> float:
            at = (1 + share) / 2
            return float(t.ppf(at, self.visits - 1) if self.student else norm.ppf(at))

        centre, scale = self.mean[inside], self.scale(self.variance[inside])
        reach = {share: quantile(share) for share in NOMINAL}
        return centre, bounds_of_quantiles(centre, scale, reach)

    def scores(self, real: Array, inside: Array, seed: int, whole: bool = True) -> dict[str, float]:
        """Score one visit.

        Parameters
        ----------
        real
            (X, Y, Z), zero outside the brain.
        inside
            (X, Y, Z) bool, of CRPS and sd. Bits are of all voxels, as those of a flow.
        whole
            Whether all of the brain is measured; else there are no bits.
        seed
            Of the noise of grey levels.
        """
        mean, scale = self.mean[inside], self.scale(self.variance[inside])
        measured = scale > 0  # where all training visits are clipped alike, nothing is predicted
        own = (mean[measured], scale[measured], real[inside][measured])
        freedom = self.visits - 1
        if self.student:
            crps = crps_of_student(own[0], own[1], freedom, own[2])
        else:
            crps = crps_of_gaussian(*own)
        sd = own[1] * (math.sqrt(freedom / (freedom - 2)) if self.student and freedom > 2 else 1)
        bits = {"bits per voxel": self._bits(real, seed)} if whole else {}
        return {"CRPS": crps, **spread_scores(own[0], sd, own[2]), **bits}

    def _bits(self, real: Array, seed: int) -> float:
        """Return -log2 of the density of a volume with its noise, a voxel, in grey levels."""
        from scipy.stats import norm, t

        mean, rng = self.mean + 0.5 / BINS, np.random.default_rng(seed)
        scale = self.scale(self.variance + 1 / (12 * BINS**2))
        total = 0.0
        for _ in range(NOISES):
            z = (real + rng.random(real.shape) / BINS - mean) / scale
            each = t.logpdf(z, self.visits - 1) if self.student else norm.logpdf(z)
            total += float(np.mean(math.log(BINS) - each + np.log(scale)))
        return total / (NOISES * math.log(2))
