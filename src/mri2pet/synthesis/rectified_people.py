"""What a rectified flow says of one fold's people, and how wide its draws must be."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mri2pet.synthesis.flow_people import FlowPeople
from mri2pet.synthesis.temperature import HIGHEST, LOWEST

DRAWS = 20  # of each visit, by which the temperature is estimated


@dataclass
class RectifiedPeople(FlowPeople):
    """As `FlowPeople`, of a rectified flow: one temperature for a whole draw, no likelihood."""

    generator: Any

    def temperatures(self, held: pd.DataFrame) -> list[float]:
        """Estimate the temperature on visits held out of the training; 1 without any.

        Root mean square of errors over that of the draws' sd, inside the brain; what the mean of
        so few draws errs by itself is taken off. Between `LOWEST` and `HIGHEST`.
        """
        errors, spreads = [], []
        for row, draws, inside in self.draws(held, DRAWS, self.spreads([1.0], 1.0), _same_seed):
            own = draws[:, inside].astype(np.float64)
            error = self.pet[row["index"].item()][inside] - own.mean(axis=0)
            errors.append(np.mean(error**2))
            spreads.append(np.mean(own.var(axis=0, ddof=1)))
        if not errors:
            return [1.0]
        ratio = np.mean(errors) / max(float(np.mean(spreads)), 1e-12) - 1 / DRAWS
        return [min(max(math.sqrt(max(ratio, 0)), LOWEST), HIGHEST)]

    def spreads(self, temperatures: Sequence[float], factor: float) -> list[Any]:
        """Return the factor on a draw's difference from the one PET."""
        return [factor * temperatures[0]]

    def bits(self, row: pd.DataFrame, spreads: Sequence[Any], seed: int) -> Mapping[str, float]:
        """Return nothing: it tells no density."""
        del row, spreads, seed
        return {}


def _same_seed(row: Any) -> int:
    del row
    return 0
