"""Side information (age, sex, diagnosis) and what keeps it out of a code: part D6 of DUAL-GLOW."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import LEAK, block_means

ATTRIBUTES = ("age", "sex", "diagnosis")
SEXES = ("F", "M")
UNKNOWN = -1  # of sex or diagnosis; an unknown age is NaN

Side = Mapping[str, Tensor]  # of each attribute (B,): age in years, float; index of sex, diagnosis


@dataclass(frozen=True)
class SideInformation:
    """Which attributes there are, and how they are written as numbers.

    Attributes
    ----------
    attributes
        Any of `age`, `sex`, `diagnosis`.
    groups
        The diagnoses, e.g. CN, MCI, AD.
    age_mean, age_sd
        Years; the age enters as (age - age_mean) / age_sd. Settings rather than statistics of a
        training set, so that models of different folds understand the same number.
    products
        Factor on products of two attributes, its square on those of three, which are written
        behind them: what is linear in the numbers can then let the age count differently by sex
        and diagnosis. 0: there are none. Below 1 it learns slower what is of fewer people, since
        AdaMax takes steps of one size whatever the gradient.
    """

    attributes: Sequence[str] = ATTRIBUTES
    groups: Sequence[str] = ()
    age_mean: float = 75.0
    age_sd: float = 10.0
    products: float = 0.0

    def __post_init__(self) -> None:
        unknown = set(self.attributes) - set(ATTRIBUTES)
        if unknown or not self.attributes:
            raise InputError(
                f"side.attributes: {list(self.attributes)} must be one or more of "
                f"{', '.join(ATTRIBUTES)}"
            )
        if "diagnosis" in self.attributes and len(self.groups) < 2:
            raise InputError(f"side.groups: {list(self.groups)} must name two diagnoses or more")
        if self.products < 0:
            raise InputError(f"side.products: {self.products} must be 0 or more")
        if self.age_sd <= 0:
            raise InputError(f"side.age_sd: {self.age_sd} must be positive")

    @property
    def sizes(self) -> dict[str, int]:
        """Numbers an attribute is written with, which are also the outputs of its classifier."""
        sizes = {"age": 1, "sex": len(SEXES), "diagnosis": len(self.groups)}
        return {name: sizes[name] for name in ATTRIBUTES if name in self.attributes}

    @property
    def width(self) -> int:
        """Outputs of a classifier of all attributes."""
        return sum(self.sizes.values())

    @property
    def numbers(self) -> int:
        """Numbers that describe a person (`encode`)."""
        sizes = self.sizes
        return self.width + sum(math.prod(sizes[name] for name in of) for of in self._products())

    def tensors(self, rows: Mapping[str, Sequence[Any]]) -> dict[str, Tensor]:
        """Read a visits table's columns `age`, `sex` and `group`.

        Parameters
        ----------
        rows
            A DataFrame, or lists by name; a missing sex or group is None or NaN, an age NaN.

        Returns
        -------
        dict of Tensor
            Of each attribute (N,), as `encode` takes them.

        Raises
        ------
        InputError
            For a sex or a group that is not known.
        """
        tensors = {}
        for name in self.sizes:
            if name == "age":
                ages = [math.nan if age is None else float(age) for age in rows["age"]]
                tensors[name] = torch.tensor(ages, dtype=torch.float32)
            else:
                column, known = ("sex", SEXES) if name == "sex" else ("group", self.groups)
                indices = [_index(value, known, column) for value in rows[column]]
                tensors[name] = torch.tensor(indices, dtype=torch.long)
        return tensors

    def standard_age(self, years: Tensor) -> Tensor:
        """Return (age - age_mean) / age_sd."""
        return (years.float() - self.age_mean) / self.age_sd

    def encode(self, side: Side) -> Tensor:
        """Write side information as numbers (B, numbers); what is unknown as zeros.

        The age is standardised, sex and diagnosis are one-hot; products of what is unknown are
        zeros as well.
        """
        parts = {}
        for name, size in self.sizes.items():
            value = side[name]
            if name == "age":
                parts[name] = self.standard_age(value).nan_to_num(nan=0.0)[:, None]
            else:
                known = (value != UNKNOWN)[:, None]
                parts[name] = F.one_hot(value.clamp_min(0), size).float() * known
        products = [
            self.products ** (len(of) - 1) * _product([parts[name] for name in of])
            for of in self._products()
        ]
        return torch.cat([*parts.values(), *products], dim=1)

    def _products(self) -> list[tuple[str, ...]]:
        """Return the attributes of each product."""
        if not self.products:
            return []
        names = list(self.sizes)
        return [of for count in range(2, len(names) + 1) for of in combinations(names, count)]

    def loss(self, outputs: Tensor, side: Side) -> Tensor:
        """Return a classifier's loss in bits, the mean over attributes and people.

        Cross-entropy of sex and diagnosis; smooth L1 of the standardised age, whose gradient is
        bounded where it is reversed. People of whom an attribute is unknown do not count in it.

        Parameters
        ----------
        outputs
            (B, width) of a `SideHead`.
        side
            The truth.
        """
        losses = []
        parts = outputs.float().split(list(self.sizes.values()), dim=1)
        for (name, _), output in zip(self.sizes.items(), parts, strict=True):
            value = side[name]
            if name == "age":
                known = value.isfinite()
                target = self.standard_age(value).nan_to_num(nan=0.0)
                each = F.smooth_l1_loss(output[:, 0], target, reduction="none")
            else:
                known = value != UNKNOWN
                each = F.cross_entropy(output, value.clamp_min(0), reduction="none")
            losses.append((each * known).sum() / known.sum().clamp_min(1))
        return torch.stack(losses).mean() / math.log(2)


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return -gradient


def reverse_gradient(x: Tensor) -> Tensor:
    """Return x; on the way back its gradient changes sign (Ganin and Lempitsky 2014).

    A classifier behind it learns what it can, and what lies before it learns to leave it nothing.
    """
    return _Reversal.apply(x)


class SideHead(nn.Module):
    """Small classifier of side information from one latent code.

    A convolution of stride 2, means over a fixed number of blocks, and a perceptron with one
    hidden layer: fitted to no particular grid, and aware of where in the brain something is.

    Parameters
    ----------
    channels
        Of the code.
    outputs
        `SideInformation.width`.
    width
        Of the convolution and of the hidden layer.
    blocks
        Blocks along each axis.

    Notes
    -----
    The paper says "multiple layer perceptron" and no sizes; the reference code's are convolutions
    of stride 2, mean pooling and one dense layer, without activations.
    """

    def __init__(self, channels: int, outputs: int, width: int = 32, blocks: int = 4) -> None:
        super().__init__()
        self.blocks = blocks
        self.conv = nn.Conv3d(channels, width, 3, stride=2, padding=1)
        self.perceptron = nn.Sequential(
            nn.Linear(width * blocks**3, width),
            nn.LeakyReLU(LEAK),
            nn.Linear(width, outputs),
        )

    def forward(self, code: Tensor) -> Tensor:
        """Map a code (B, C, X, Y, Z) to (B, outputs)."""
        features = F.leaky_relu(self.conv(code), LEAK)
        return self.perceptron(block_means(features, self.blocks).flatten(1))


class SideHeads(nn.Module):
    """The classifiers of side information: one on each MRI code, one on the top PET code.

    Those of the MRI's lower codes stand behind a gradient reversal, which drives the side
    information out of z'_m; the two of the top codes keep it there.

    Parameters
    ----------
    information
        What is to be told.
    channels
        Of the codes, level by level.
    width, blocks
        Of each classifier (`SideHead`).
    """

    def __init__(
        self,
        information: SideInformation,
        channels: Sequence[int],
        width: int = 32,
        blocks: int = 4,
    ) -> None:
        super().__init__()
        self.information = information
        self.mri = nn.ModuleList(
            SideHead(count, information.width, width, blocks) for count in channels
        )
        self.pet = SideHead(channels[-1], information.width, width, blocks)

    def forward(
        self, mri_codes: Sequence[Tensor], pet_codes: Sequence[Tensor], side: Side
    ) -> dict[str, Tensor]:
        """Return the sums of losses, in bits: `reversed` of the lower codes, `top` of the top's."""
        *lower, top = zip(self.mri, mri_codes, strict=True)
        below = [self._loss(head, reverse_gradient(code), side) for head, code in lower]
        above = [self._loss(*top, side), self._loss(self.pet, pet_codes[-1], side)]
        return {"reversed": sum(below, torch.zeros_like(above[0])), "top": sum(above[1:], above[0])}

    def _loss(self, head: nn.Module, code: Tensor, side: Side) -> Tensor:
        return self.information.loss(head(code), side)


def _index(value: Any, known: Sequence[str], column: str) -> int:
    if value is None or value != value:  # NaN differs from itself
        return UNKNOWN
    if value not in known:
        raise InputError(f"visits: {column} is '{value}'; known are {', '.join(known)}")
    return list(known).index(value)


def _product(parts: Sequence[Tensor]) -> Tensor:
    """Multiply each number of a part (B, n) by each of the others: (B, n1 * n2 * ...)."""
    product, *others = parts
    for part in others:
        product = (product[:, :, None] * part[:, None]).flatten(1)
    return product
