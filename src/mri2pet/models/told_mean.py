"""The mean PET of people of whom the same is told: where a flow with side information begins."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mri2pet.models.side import UNKNOWN, Side, SideInformation

RIDGE = 0.1  # added to the mean square of each number below
# What a number counts: the less, the more the ridge holds its slope near zero.
GROUP, AGE, SEX, PRODUCT = 0.3, 0.3, 0.2, 0.3
PARTS = 16  # into which people are dealt, to be left out: all of a part together


class ToldMean(nn.Module):
    """The mean PET, and slopes of each voxel on age, sex and diagnosis: a ridge regression.

    In no paper. A few people tell the slopes only where little is asked of them, so the diagnosis
    enters first as one number, from 0 for the healthiest group to 1 for the most ill one; what a
    group has beside that trend, the sex, the age and its product with the trend are held nearer to
    zero.

    Parameters
    ----------
    information
        What is told; groups are in order, from healthy to ill.
    grid
        X, Y, Z of the volumes.
    """

    centre: Tensor
    slopes: Tensor

    def __init__(self, information: SideInformation, grid: Sequence[int]) -> None:
        super().__init__()
        self.information = information
        count = self.numbers({name: torch.zeros(1) for name in information.sizes}).shape[1]
        self.register_buffer("centre", torch.zeros(count))
        # Five axes, as the weights beside it: all are laid out alike where channels come last.
        self.register_buffer("slopes", torch.zeros(count, 1, *grid))

    def numbers(self, side: Side) -> Tensor:
        """Write what is told as (B, numbers); what is not known as NaN."""
        columns, trend, age = [], None, None
        if "age" in side:
            age = self.information.standard_age(side["age"])[:, None]
            columns.append(AGE * age)
        if "sex" in side:
            columns.append(SEX * _known(side["sex"])[:, None])
        if "diagnosis" in side:
            index, groups = side["diagnosis"].long(), len(self.information.groups)
            trend = _known(index)[:, None] / (groups - 1)
            own = F.one_hot(index.clamp_min(0), groups).float() + 0 * trend
            columns += [trend, GROUP * own]
        if trend is not None and age is not None:
            columns.append(PRODUCT * age * (trend - 0.5))
        return torch.cat(columns, dim=1)

    @torch.no_grad()
    def fit(self, side: Side, pet: Tensor, people: Tensor | None = None) -> Tensor:
        """Set centre and slopes from training people.

        Parameters
        ----------
        side
            (N,) of each attribute.
        pet
            (N, 1, X, Y, Z).
        people
            (N,) whose each PET is; None: each of another person.

        Returns
        -------
        Tensor
            The PETs, each moved as `left_out` says. Told so, a flow learns how far a new person is
            from the mean, and not how near the regression comes to its own people.
        """
        numbers = self.numbers(side).double()
        centre, slopes = _ridge(numbers, pet)
        self.centre.copy_(centre)
        self.slopes.copy_(slopes[:, None])
        return left_out(numbers, pet, people)

    def forward(self, side: Side | None) -> Tensor | float:
        """Return what is to be added to the mean PET, (B, 1, X, Y, Z); 0 for nothing told."""
        if side is None:
            return 0.0
        return _apply(self.centre, self.slopes[:, 0], self.numbers(side).to(self.slopes.device))


def left_out(numbers: Tensor, pet: Tensor, people: Tensor | None = None) -> Tensor:
    """Move PETs to where they are as far from the regression as if their person was left out of it.

    Parameters
    ----------
    numbers
        (N, numbers) float64, what is told; NaN for what is not known. With no numbers at all the
        regression is the mean.
    pet
        (N, 1, X, Y, Z).
    people
        (N,) whose each PET is; None: each of another person. Of more than `PARTS`, several are left
        out together.

    Returns
    -------
    Tensor
        As `pet`; the same where all are of one person.
    """
    people = torch.arange(len(pet)) if people is None else people
    parts = people.unique(return_inverse=True)[1] % PARTS
    if (parts == parts[0]).all():
        return pet
    moved = pet + _regressed(numbers, pet, numbers)
    for part in parts.unique():
        out = parts == part
        moved[out] -= _regressed(numbers[~out], pet[~out], numbers[out])
    return moved


def _known(index: Tensor) -> Tensor:
    return index.float().masked_fill(index == UNKNOWN, torch.nan)


def _ridge(numbers: Tensor, pet: Tensor) -> tuple[Tensor, Tensor]:
    """Return the numbers' means, and slopes (numbers, X, Y, Z); the unknown count as the mean."""
    centre = numbers.nanmean(0).nan_to_num(nan=0.0)
    apart = (numbers - centre).nan_to_num(nan=0.0)
    square = apart.T @ apart / len(apart) + RIDGE * torch.eye(len(centre), dtype=apart.dtype)
    weights = torch.linalg.solve(square, apart.T / len(apart)).to(pet.dtype)
    slopes = weights @ (pet - pet.mean(0)).flatten(1)
    return centre, slopes.reshape(-1, *pet.shape[2:])


def _regressed(numbers: Tensor, pet: Tensor, asked: Tensor) -> Tensor:
    """Return the PET (B, 1, X, Y, Z) of people of whom the same is told as of `asked` (B, n)."""
    centre, slopes = _ridge(numbers, pet)
    mean = pet.mean(0)
    # One by one: the product is of all numbers of all voxels.
    return torch.cat([mean + _apply(centre, slopes, row) for row in asked.split(1)])


def _apply(centre: Tensor, slopes: Tensor, numbers: Tensor) -> Tensor:
    apart = (numbers.to(slopes.dtype) - centre.to(slopes.dtype)).nan_to_num(nan=0.0)
    # No product of matrices, which autocast would round.
    return (apart[..., None, None, None] * slopes).sum(1, keepdim=True)
