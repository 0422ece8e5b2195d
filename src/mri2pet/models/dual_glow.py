"""DUAL-GLOW (Sun et al. 2019): PET from MRI by two flows and the relation of their codes (D2-D6).

Equation numbers are those of the paper. Volumes are (B, 1, X, Y, Z) with intensities 0 to 1.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import repeated
from mri2pet.models.glow import Glow, gaussian_log_density
from mri2pet.models.relation import Gaussian, Relation, draw_code
from mri2pet.models.side import Side, SideHeads, SideInformation
from mri2pet.models.told_mean import ToldMean
from mri2pet.models.voxel_norm import VoxelNorm


class DualGlow(nn.Module):
    """Two flows f_m (MRI) and f_p (PET), and p(z_p | z_m) between them (eq. 6 and 7).

    Parameters
    ----------
    depth
        Steps of each level of both flows. The paper's is 16, 16, 16, 16; the default is small.
    width
        Width of the couplings' hidden layers at each level. The reference code's is 512.
    relation
        Settings of the relation networks: `width`, `layers`, `kernel`, `mri_top`, `side_channels`,
        `own_sigma` (`Relation`).
    side
        Settings of `SideInformation`: `attributes`, `groups`, `age_mean`, `age_sd`, `products`;
        None for the unconditional model.
    heads
        Settings of the classifiers of side information: `width`, `blocks` (`SideHead`).
    lu, checkpointing, wavelets
        Of both flows (`Glow`).
    bins
        Grey levels that a unit of intensity counts as: the noise of training is U(0, 1 / bins),
        and likelihoods are bits a voxel of an image of so many levels.
    grid
        X, Y, Z of the volumes, if they are all to be of one: side information then shifts each
        voxel of the top code by itself (`Relation`), and `standardise` is possible.
    standardise
        Standardise each voxel over the training set before the flow (`VoxelNorm`, set by
        `fit_norms`). Not in the paper.
    told_mean
        Take the PET as the difference from the mean PET of people of whom the same is told
        (`ToldMean`), in place of that of all. Needs `standardise` and `side`. Not in the paper.

    Raises
    ------
    InputError
        For settings that do not fit together.

    Notes
    -----
    Intensities are taken minus 1/2 where they are not standardised. The reference code adds noise
    in training alone; at synthesis its mean takes its place here, and is subtracted again.
    """

    def __init__(
        self,
        depth: Sequence[int] = (4, 4, 4),
        width: Sequence[int] = (64, 64, 64),
        relation: Mapping[str, Any] | None = None,
        side: Mapping[str, Any] | None = None,
        heads: Mapping[str, Any] | None = None,
        lu: bool = False,
        checkpointing: bool = False,
        wavelets: bool = False,
        bins: int = 256,
        grid: Sequence[int] | None = None,
        standardise: bool = False,
        told_mean: bool = False,
    ) -> None:
        super().__init__()
        if bins < 1:
            raise InputError(f"dual_glow: bins is {bins}; it must be positive")
        self.bins = bins
        if standardise and grid is None:
            raise InputError("dual_glow: standardise needs the volumes' grid")
        if told_mean and not (standardise and side):
            raise InputError("dual_glow: told_mean needs standardise, and side information")
        self.centre = 0.0 if standardise else 0.5
        self.side = None if side is None else SideInformation(**side)
        self.mri_norm = VoxelNorm(grid if standardise else None, bins)
        self.pet_norm = VoxelNorm(grid if standardise else None, bins)
        self.told_mean = ToldMean(self.side, grid) if told_mean else None
        self.mri_flow = Glow(depth, width, lu, checkpointing, wavelets)
        self.pet_flow = Glow(depth, width, lu, checkpointing, wavelets)
        channels = self.mri_flow.channels
        count = self.side.numbers if self.side else 0
        self.relation = Relation(channels, count, grid=grid, **dict(relation or {}))
        settings = dict(heads or {})
        self.heads = SideHeads(self.side, channels, **settings) if self.side else None

    def regions(self) -> list[nn.Module]:
        """Return what is compiled part by part: steps of a level have one shape and share code."""
        flows = (self.mri_flow, self.pet_flow)
        steps = [step for flow in flows for level in flow.levels for step in level.steps]
        return [*steps, *self.relation.networks]

    def prior(self, mri: Sequence[Tensor], side: Side | None = None) -> list[Gaussian]:
        """Return mean and log sigma of every PET code given the MRI's codes (eq. 6 or 17).

        Parameters
        ----------
        mri
            Codes z_m.
        side
            Side information c; None for a person of whom nothing is known.
        """
        numbers = None if self.side is None or side is None else self.side.encode(side)
        return self.relation(mri, numbers)

    def losses(
        self,
        mri: Tensor,
        pet: Tensor,
        side: Side | None = None,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return the terms of the objective, each a scalar to be minimised.

        Parameters
        ----------
        mri, pet
            Training volumes.
        side
            Needed by a model with side information.
        generator
            Of the noise, on the volumes' device.

        Returns
        -------
        dict of Tensor
            `pet`: -log p(z_p | z_m) - log |det(dz_p/dx_p)| (eq. 10), and `mri`: -log p(x_m)
            (eq. 4), both in bits a voxel and averaged over the batch. With side information also
            `reversed`, the losses of the classifiers of the MRI's lower codes, behind a gradient
            reversal, and `top`, those of the two of the top codes, each summed, in bits.

        Raises
        ------
        InputError
            If side information is needed and missing.
        """
        if self.side is not None and side is None:
            raise InputError("dual_glow: this model is trained with side information")
        mri_codes, of_mri = self.encode_mri(self._noisy(mri, generator))
        pet_codes, of_pet = self.encode_pet(self._noisy(pet, generator), side)
        for code in mri_codes:
            of_mri = of_mri + gaussian_log_density(code)
        for code, (mean, log_sigma) in zip(pet_codes, self.prior(mri_codes, side), strict=True):
            of_pet = of_pet + gaussian_log_density(code, mean, log_sigma)
        terms = {"pet": self._bits(of_pet, pet), "mri": self._bits(of_mri, mri)}
        if self.heads is not None and side is not None:
            terms |= self.heads(mri_codes, pet_codes, side)
        return terms

    def forward(self, mri: Tensor, side: Side | None = None) -> Tensor:
        """Synthesise a PET from the mean of its codes (eq. 7).

        Parameters
        ----------
        mri
            (B, 1, X, Y, Z), the sides divisible by 2 ** levels.
        side
            Side information that the PET is to show.

        Returns
        -------
        Tensor
            Of the MRI's shape, 0 to 1.
        """
        return self.decode_pet([mean for mean, _ in self._prior_of(mri, side)], side)

    @torch.no_grad()
    def draws(
        self,
        mri: Tensor,
        count: int,
        temperature: float | Sequence[Tensor] = 1.0,
        side: Side | None = None,
        generator: torch.Generator | None = None,
        at_once: int = 1,
    ) -> Iterator[Tensor]:
        """Yield PETs (B * at_once, 1, X, Y, Z) drawn from p(x_p | x_m); an MRI is encoded once.

        Parameters
        ----------
        mri
            (B, 1, X, Y, Z).
        count
            Batches of draws.
        temperature
            Factor on sigma, 0: as `forward`. Or one of each level (`synthesis.temperature.spread`).
        side
            What the PETs are to show.
        generator
            On the volumes' device; a seed's deviations from the mean code are one for any `side`.
        at_once
            Draws of each MRI in a batch.
        """
        priors = [repeated(prior, at_once) for prior in self._prior_of(mri, side)]
        told = side and dict(zip(side, repeated(side.values(), at_once), strict=True))
        each = [temperature] * len(priors) if isinstance(temperature, int | float) else temperature
        for _ in range(count):
            codes = zip(priors, each, strict=True)
            yield self.decode_pet([draw_code(*one, own, generator) for one, own in codes], told)

    @torch.no_grad()
    def initialise(self, mri: Tensor, pet: Tensor, side: Side | None = None) -> None:
        """Set the activation norms from a first batch, as it passes; those set already stay.

        Then each position's sigma, where the relation networks have one (`Relation.fit_sigma`). If
        not called, the first step of training sets them from its own batch, which may be small.

        Parameters
        ----------
        mri, pet
            (B, 1, X, Y, Z), on the model's device.
        side
            Needed by a model with side information.
        """
        self.train()
        self.losses(mri, pet, side)
        self.relation.fit_sigma(self.encode_pet(self._noisy(pet), side)[0])

    def encode_mri(self, mri: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the codes z_m of volumes 0 to 1, noise included, and log |det(dz_m/dx_m)|."""
        x, of_norm = self.mri_norm(mri)
        codes, of_flow = self.mri_flow(x - self.centre)
        return codes, of_norm + of_flow

    def encode_pet(self, pet: Tensor, side: Side | None = None) -> tuple[list[Tensor], Tensor]:
        """Return the codes z_p of volumes 0 to 1, noise included, and log |det(dz_p/dx_p)|.

        A model with `told_mean` takes the volumes as those of people with this side information.
        """
        x, of_norm = self.pet_norm(self._apart(pet, side))
        codes, of_flow = self.pet_flow(x - self.centre)
        return codes, of_norm + of_flow

    def decode_pet(self, codes: Sequence[Tensor], side: Side | None = None) -> Tensor:
        """Return the volumes 0 to 1, without noise, of PET codes; `side` as for `encode_pet`."""
        volume = self.pet_norm.inverse(self.pet_flow.inverse(codes) + self.centre)
        if self.told_mean is not None:
            volume = volume + self.told_mean(side)
        return (volume - 0.5 / self.bins).clamp(0, 1)

    def fit_norms(
        self, mri: Tensor, pet: Tensor, side: Side | None = None, people: Tensor | None = None
    ) -> Tensor:
        """Set the fixed first layers of both flows from training volumes (N, 1, X, Y, Z).

        Returns the PETs as they are to be learnt from: with `told_mean` those of `ToldMean.fit`.
        """
        self.mri_norm.fit(mri)
        if self.told_mean is not None and side is not None:
            pet = self.told_mean.fit(side, pet, people)
        self.pet_norm.fit(self._apart(pet, side))
        return pet

    def _apart(self, pet: Tensor, side: Side | None) -> Tensor:
        return pet if self.told_mean is None else pet - self.told_mean(side)

    def _prior_of(self, mri: Tensor, side: Side | None) -> list[Gaussian]:
        codes, _ = self.encode_mri(mri + 0.5 / self.bins)
        return self.prior(codes, side)

    def _noisy(self, volume: Tensor, generator: torch.Generator | None = None) -> Tensor:
        kind = {"dtype": volume.dtype, "device": volume.device}
        return volume + torch.rand(volume.shape, generator=generator, **kind) / self.bins

    def _bits(self, log_density: Tensor, volume: Tensor) -> Tensor:
        """Turn log-densities (B,) of volumes in units of 1 into bits a voxel in units of 1/bins."""
        nats = math.log(self.bins) - log_density / volume[0].numel()
        return nats.mean() / math.log(2)


def objective(terms: Mapping[str, Tensor], mri: float = 0.001, side: float = 0.01) -> Tensor:
    """Weighted sum of `DualGlow.losses` (eq. 12 and 16, negative, in bits a voxel).

    Parameters
    ----------
    terms
        As `DualGlow.losses` returns them.
    mri
        The paper's lambda.
    side
        Weight of each classifier's loss.
    """
    total = terms["pet"] + mri * terms["mri"]
    if "top" in terms:
        total = total + side * (terms["reversed"] + terms["top"])
    return total
