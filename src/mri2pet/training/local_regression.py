"""Solve the local regression: ridge regression of every voxel's PET, in closed form.

At each voxel the differences of the PET from the mean PET of the training people are regressed on
the differences of the features from their means. The normal equations are sums over people; those
of a voxel are averaged with its neighbours', weighted by a Gaussian, so that few people suffice for
several features. People are read one after the other: memory does not grow with their number.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mri2pet.models.local_regression import FWHM_TO_SIGMA, LocalRegression, blur
from mri2pet.models.registry import build
from mri2pet.training.data import Pairs
from mri2pet.training.settings import make_deterministic

if TYPE_CHECKING:
    import pandas as pd

    from mri2pet.training.checkpoint import History
    from mri2pet.training.loop import Validation

log = logging.getLogger(__name__)

AT_ONCE = 2**15  # voxels whose equations are solved together
LEAST = 1e-6  # of the largest of a diagonal: so much is added at least


class Solved(nn.Module):
    """What holds a solved generator, as a recipe holds the one that it trains."""

    def __init__(self, generator: LocalRegression) -> None:
        super().__init__()
        self.generator = generator


class Equations:
    """Sums over people from which the normal equations of all voxels of a brain are made.

    For f features of v voxels they are 1 + 1 + 2 f + f (f + 1) / 2 numbers of float64 a voxel.

    Parameters
    ----------
    features
        How many there are.
    mask
        (X, Y, Z) bool.
    """

    def __init__(self, features: int, mask: Tensor) -> None:
        self.mask, voxels = mask, int(mask.sum())
        self.pairs = list(combinations_with_replacement(range(features), 2))
        self.people = torch.zeros(voxels, dtype=torch.float64)
        self.pet = torch.zeros(voxels, dtype=torch.float64)
        self.means = torch.zeros(features, voxels, dtype=torch.float64)
        self.with_pet = torch.zeros(features, voxels, dtype=torch.float64)
        self.products = torch.zeros(len(self.pairs), voxels, dtype=torch.float64)

    def add(self, features: Tensor, pet: Tensor, seen: Tensor | None = None) -> None:
        """Add one person.

        Parameters
        ----------
        features, pet
            (features, voxels) and (voxels,), inside the mask.
        seen
            (voxels,) bool, where the PET is measured: nothing else counts. None: everywhere.
        """
        features, pet = features.double(), pet.double()
        if seen is not None:
            features, pet = features * seen, pet * seen
        self.people += 1 if seen is None else seen
        self.pet += pet
        self.means += features
        self.with_pet.addcmul_(features, pet)
        for row, (first, second) in enumerate(self.pairs):
            self.products[row].addcmul_(features[first], features[second])

    def centre(self) -> None:
        """Turn the sums into means, and the products into those of differences from them."""
        count = self.people.clamp(min=1)
        self.means /= count
        self.pet /= count
        self.with_pet -= count * self.means * self.pet
        for row, (first, second) in enumerate(self.pairs):
            self.products[row] -= count * self.means[first] * self.means[second]

    def average(self, sigma: Sequence[float]) -> None:
        """Average the equations over neighbours with a Gaussian; sd in voxels, an axis each."""
        if not any(sigma):
            return
        whole = torch.zeros(self.mask.shape, dtype=torch.float64)
        for sums in (self.with_pet, self.products):
            for row in sums:
                whole[self.mask] = row
                row[:] = blur(whole, sigma)[self.mask]

    def solve(self, ridge: float) -> Tensor:
        """Return the coefficients (features, voxels), float64.

        Parameters
        ----------
        ridge
            Added to the diagonal, as a share of the (lower) median of a voxel's diagonal.
        """
        solution = torch.empty_like(self.with_pet)
        for start in range(0, solution.shape[1], AT_ONCE):
            part = slice(start, start + AT_ONCE)
            right = self.with_pet[:, part].T
            left = right.new_empty(*right.shape, right.shape[1])
            for row, (first, second) in enumerate(self.pairs):
                left[:, first, second] = left[:, second, first] = self.products[row, part]
            diagonal = left.diagonal(dim1=1, dim2=2)
            diagonal += _ridge(diagonal, ridge)
            solution[:, part] = torch.linalg.solve(left, right).T
        return solution


def _ridge(diagonal: Tensor, ridge: float) -> Tensor:
    """Return what is added to diagonals (voxels, features).

    Where most features never vary, as at the rim of the brain, the median is zero: a little then.
    """
    share = ridge * diagonal.median(dim=1, keepdim=True).values
    return torch.maximum(share, LEAST * diagonal.amax(dim=1, keepdim=True)).clamp(min=1e-12)


def fit(
    config: Mapping[str, Any],
    load: Callable[["pd.DataFrame"], Pairs],
    rows: "pd.DataFrame",
    voxel_mm: Sequence[float],
    name: str,
    fold: int,
    threads: int = 1,
    validation: "Validation | None" = None,
) -> tuple[Solved, "History"]:
    """Solve the local regression of one fold; on the CPU, the same bytes each time.

    Parameters
    ----------
    config
        The model's entry: `generator`, `window_mm` (full width at half maximum of the Gaussian
        over neighbours; 0: each voxel alone) and `ridge`.
    load
        Reads the pairs of some rows; called for one row at a time.
    rows
        Visits to learn from, of the dataset's table.
    voxel_mm
        Sides of a voxel in mm.
    name, fold
        For messages.
    threads
        Of torch.
    validation
        Measured once, for the history.

    Returns
    -------
    solved : Solved
        With the generator, on the CPU.
    history : list of dict
        One row: `epoch` 1, `mae` over the training people's brains, what was measured, `seconds`.
    """
    started = time.monotonic()
    make_deterministic(threads)
    generator = build(config["generator"])
    generator.fill(voxel_mm=torch.tensor([*voxel_mm], dtype=torch.float64))
    equations = None
    for pairs in _one_by_one(load, rows):
        equations = equations or Equations(len(generator.widths), pairs.mask)
        equations.add(*_inside(generator, pairs))
    equations.centre()
    equations.average([config["window_mm"] * FWHM_TO_SIGMA / side for side in voxel_mm])
    nearest = _nearest_seen(equations)
    generator.fill(
        coefficients=_on_grid(equations.solve(float(config["ridge"])), equations.mask),
        means=_on_grid(equations.means[:, nearest], equations.mask),
        mean_pet=_on_grid(equations.pet[None, nearest], equations.mask),
    )
    solved = Solved(generator).eval()
    errors = [_error(generator, pairs) for pairs in _one_by_one(load, rows)]
    row = {"epoch": 1, "mae": sum(errors) / len(errors)}
    if validation is not None:
        row |= validation.measure(solved, 1)
    row["seconds"] = round(time.monotonic() - started, 3)
    log.info(
        "%s, fold %s: %d features of %d visits, mae %.4g in %.1f s",
        *(name, fold, len(generator.widths), len(rows), row["mae"], row["seconds"]),
    )
    return solved, [row]


def _one_by_one(load: Callable[["pd.DataFrame"], Pairs], rows: "pd.DataFrame") -> Iterator[Pairs]:
    for row in range(len(rows)):
        yield load(rows.iloc[[row]])


def _inside(generator: LocalRegression, pairs: Pairs) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return features, PET and what is measured of one person inside the mask."""
    features = torch.cat([each[0][:, pairs.mask] for each in generator.features(pairs.source)])
    seen = None if pairs.seen is None else pairs.seen[0, 0, pairs.mask]
    return features, pairs.target[0, 0, pairs.mask], seen


def _nearest_seen(equations: Equations) -> Tensor:
    """Return for each voxel of the mask the nearest one that anybody's PET has measured."""
    known = equations.people > 0
    places = torch.arange(len(known))
    if known.all():
        return places
    from scipy.ndimage import distance_transform_edt

    there, number = (torch.zeros(equations.mask.shape, dtype=kind) for kind in (bool, int))
    there[equations.mask], number[equations.mask] = known, places
    nearest = distance_transform_edt(~there.numpy(), return_distances=False, return_indices=True)
    return number.numpy()[tuple(nearest)][equations.mask.numpy()]


def _on_grid(values: Tensor, mask: Tensor) -> Tensor:
    """Return (1, n, X, Y, Z) float32 of (n, voxels), zero outside the mask."""
    whole = torch.zeros(1, len(values), *mask.shape)
    whole[0][:, mask] = values.float()
    return whole


@torch.inference_mode()
def _error(generator: LocalRegression, pairs: Pairs) -> float:
    """Return the mean absolute error inside the mask, where the PET is measured."""
    where = pairs.mask if pairs.seen is None else pairs.mask & pairs.seen[0, 0]
    return float((generator(pairs.source) - pairs.target)[0, 0][where].abs().mean())
