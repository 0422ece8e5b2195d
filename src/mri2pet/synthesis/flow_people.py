"""What a flow says of one fold's people: whom it has not seen, and how wide its draws must be."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from mri2pet.datasets.gaps import measured
from mri2pet.evaluation.intervals import crps_of_draws
from mri2pet.evaluation.visit_intervals import (
    BITS,
    VisitIntervals,
    bounds_of_draws,
    spread_scores,
)
from mri2pet.models.dual_glow import DualGlow
from mri2pet.models.side import SideInformation
from mri2pet.models.told_mean import left_out
from mri2pet.synthesis.draws import draw_pets
from mri2pet.synthesis.temperature import (
    HIGHEST,
    LOWEST,
    bits_a_voxel,
    fit_temperatures,
    spread,
)

Array = np.ndarray
POWERS = (0.25, 0.5, 0.75, 1.0)  # of the temperatures, of which draws take one
DRAWS = 8  # of each visit and power, by which it is chosen
WIDTH = 4  # of each visit, by which their width is: errors are of many people
NEAR_ONE = 0.1  # temperatures no further from 1 are taken as they are


@dataclass
class FlowPeople:
    """A trained flow and the volumes of the people it is asked about.

    Parameters
    ----------
    generator
        In evaluation mode, on `device`.
    mri, pet
        (N, X, Y, Z) arrays of the dataset, 0 to 1.
    mask
        (X, Y, Z) bool.
    seen
        (N, X, Y, Z) bool, what is measured of each PET; None for all.
    side
        How the generator is told of people; None for one that is not.
    device
        Where to run.
    crop
        As for `whole_volume.synthesise`.
    likely
        Factor on sigma by which a likelihood is told, where draws have another (`eased`).
    """

    generator: DualGlow
    mri: Array
    pet: Array
    mask: Array
    seen: Array | None
    side: SideInformation | None
    device: torch.device
    crop: int = 0
    likely: Sequence[Tensor] | None = None

    def told(self, row: pd.DataFrame) -> dict[str, Tensor] | None:
        """Return side information of rows of the visits' table, on the device."""
        if self.side is None:
            return None
        return {name: value.to(self.device) for name, value in self.side.tensors(row).items()}

    def volumes(self, row: pd.DataFrame) -> tuple[Tensor, Tensor]:
        """Return MRI and PET (N, 1, X, Y, Z) of rows of the visits' table, as in training.

        The PET is zero outside the mask there. Between two voxels of the template some is left.
        """
        places = row["index"].to_numpy()
        mri, pet = (np.stack([array[i] for i in places]) for array in (self.mri, self.pet))
        pair = (mri, pet * self.mask)
        first, second = (torch.from_numpy(v.astype(np.float32))[:, None] for v in pair)
        return first.to(self.device), second.to(self.device)

    def is_whole(self, place: int) -> bool:
        """Tell whether all of the brain is measured in a visit's PET: a likelihood is of all."""
        return self.seen is None or bool(self.seen[place][self.mask].all())

    def temperatures(self, held: pd.DataFrame) -> list[float]:
        """Estimate each level's temperature on visits held out of the training; 1 without any."""
        held = held[[self.is_whole(place) for place in held["index"]]]
        if held.empty:
            return [1.0] * len(self.generator.pet_flow.levels)
        mask = torch.from_numpy(self.mask).to(self.device)
        return fit_temperatures(self.generator, *self.volumes(held), mask, self.told(held))

    def eased(self, temperatures: Sequence[float], held: pd.DataFrame) -> list[float]:
        """Return the temperatures for draws: a power of those by likelihood.

        A likelihood is of codes. Draws go the other way, and a coarse code several sigma from its
        mean, which few positions make likely, becomes an image unlike any PET. Of `POWERS` that is
        taken whose draws of the same held-out visits have the least CRPS.

        Parameters
        ----------
        temperatures
            As `temperatures` gives them.
        held
            Visits held out of the training. Without any the temperatures stay.
        """
        if held.empty or max(abs(value - 1) for value in temperatures) <= NEAR_ONE:
            return list(temperatures)
        errors = []
        for power in POWERS:
            spreads = self.spreads([value**power for value in temperatures], 1.0)
            drawn = self.draws(held, DRAWS, spreads, lambda row: 0)
            found = [
                crps_of_draws(draws[:, inside], self.pet[row["index"].item()][inside])
                for row, draws, inside in drawn
            ]
            errors.append(float(np.mean(found)))
        chosen = POWERS[int(np.argmin(errors))]
        return [value**chosen for value in temperatures]

    def widened(
        self, temperatures: Sequence[float], held: pd.DataFrame, learnt: pd.DataFrame
    ) -> list[float]:
        """Return the temperatures times one factor: draws are to be as wide as errors.

        A level's temperature counts each position of its code alike, and of a wavelet's eight
        channels the one that most of the image is in as little as any; errors of one person have
        one sign over much of the brain. So draws can be narrower than errors while codes are not.

        Parameters
        ----------
        temperatures
            As `eased` gives them.
        held, learnt
            Visits held out of the training, and those learnt from. The latter count as if left out
            (`told_mean.left_out`) where the generator starts at their mean, and else not at all.
        """
        pets = {index: self.pet[index] for index in held["index"]}
        if self.generator.pet_norm.grid is not None and len(learnt):
            told, (_, pet) = self.generator.told_mean, self.volumes(learnt)
            numbers = pet.new_zeros(len(pet), 0, dtype=torch.float64)
            if told is not None:
                numbers = told.numbers(self.told(learnt)).double()
            whose = torch.from_numpy(pd.factorize(learnt["subject"])[0])
            apart = left_out(numbers.cpu(), pet.cpu(), whose)[:, 0].numpy()
            pets |= dict(zip(learnt["index"], apart, strict=True))
            held = pd.concat([held, learnt])
        factor = self.too_narrow(held, self.spreads(temperatures, 1.0), WIDTH, pets)
        return [min(max(value * factor, LOWEST), HIGHEST) for value in temperatures]

    def too_narrow(
        self,
        rows: pd.DataFrame,
        spreads: Sequence[Any],
        count: int,
        pets: Mapping[int, Array] | None = None,
    ) -> float:
        """Return by how much draws of some visits are too narrow; 1 of none.

        Root mean square of errors over that of the draws' sd, inside the brain; what the mean of
        so few draws errs by itself is taken off.

        Parameters
        ----------
        rows
            Visits that were not learnt from.
        spreads, count
            As for `draws`.
        pets
            (X, Y, Z) of each row's `index`; None: as measured.
        """
        errors, variances = [], []
        for row, draws, inside in self.draws(rows, count, spreads, lambda row: 0):
            own, index = draws[:, inside].astype(np.float64), row["index"].item()
            real = (self.pet if pets is None else pets)[index][inside]
            errors.append(np.mean((real - own.mean(axis=0)) ** 2))
            variances.append(np.mean(own.var(axis=0, ddof=1)))
        if not errors:
            return 1.0
        ratio = np.mean(errors) / max(float(np.mean(variances)), 1e-12) - 1 / count
        return math.sqrt(max(float(ratio), 0.0))

    def spreads(self, temperatures: Sequence[float], factor: float) -> list[Tensor]:
        """Return the factor on sigma at each position of each level (`temperature.spread`)."""
        mask = torch.from_numpy(self.mask).to(self.device)
        return spread(self.generator, mask, temperatures, factor)

    def bits(self, row: pd.DataFrame, spreads: Sequence[Tensor], seed: int) -> Mapping[str, float]:
        """Score one visit's likelihood: by `likely`, as it is drawn, and by sigma as learnt."""
        if not self.is_whole(row["index"].item()):
            return {}
        given = (self.generator, *self.volumes(row), self.told(row))
        likely = spreads if self.likely is None else self.likely
        bits = bits_a_voxel(*given, [likely, spreads, None], seed)[:, 0].tolist()
        return dict(zip(BITS, bits, strict=True))

    def draws(
        self,
        rows: pd.DataFrame,
        count: int,
        spreads: Sequence[Tensor],
        seed: Callable[[Any], int],
    ) -> Iterator[tuple[pd.DataFrame, Array, Array]]:
        """Draw PETs of each visit.

        Parameters
        ----------
        rows
            Of the visits' table.
        count, spreads
            Draws of each; factor on sigma.
        seed
            From a row to the seed of its noise.

        Yields
        ------
        row : DataFrame
            Of one visit.
        draws : ndarray
            (count, X, Y, Z) float32, 0 to 1.
        inside : ndarray
            (X, Y, Z) bool, the brain's voxels that the visit's PET shows.
        """
        for place, visit in enumerate(rows.itertuples(index=False)):
            row = rows.iloc[[place]]
            options = (seed(visit), spreads, self.told(row), self.device)
            given = (self.generator, self.mri[visit.index], self.mask, count)
            draws = draw_pets(*given, *options, crop=self.crop)
            yield row, draws, measured(self.mask, self.seen, visit.index)


def measure(
    people: FlowPeople,
    found: VisitIntervals,
    held: pd.DataFrame,
    tested: pd.DataFrame,
    count: int,
    spreads: Sequence[Tensor],
    seed: Callable[[Any], int],
) -> tuple[list[Array], list[Array]]:
    """Draw a fold's PETs and collect their intervals and scores.

    Parameters
    ----------
    people, count, spreads, seed
        As for `FlowPeople.draws`.
    found
        Takes them in.
    held
        Visits to calibrate the intervals on; none where people are too few for that.
    tested
        Visits of the fold that is held out.

    Returns
    -------
    mean, sd : list of ndarray
        (X, Y, Z) over the draws of each tested visit.
    """
    for row, draws, inside in people.draws(held, count, spreads, seed):
        real = people.pet[row["index"].item()][inside]
        found.calibrate(row["subject"].item(), real, *bounds_of_draws(draws[:, inside]))
    means, sds = [], []
    for row, draws, inside in people.draws(tested, count, spreads, seed):
        means.append(draws.mean(axis=0, dtype=np.float64))
        sds.append(draws.std(axis=0, ddof=1, dtype=np.float64))
        real, own = people.pet[row["index"].item()][inside], draws[:, inside]
        scores = {"CRPS": crps_of_draws(own, real)}
        scores |= spread_scores(means[-1][inside], sds[-1][inside], real)
        scores |= people.bits(row, spreads, seed(row.iloc[0]))
        visit = row[["subject", "visit", "group"]].to_dict("records")[0]
        found.test(visit, real, *bounds_of_draws(own), scores)
    return means, sds
