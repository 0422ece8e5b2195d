"""What a rectified flow says of one fold's people, and how wide its draws must be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

        By how much draws are `too_narrow`, between `LOWEST` and `HIGHEST`.
        """
        if held.empty:
            return [1.0]
        ratio = self.too_narrow(held, self.spreads([1.0], 1.0), DRAWS)
        return [min(max(ratio, LOWEST), HIGHEST)]

    def spreads(self, temperatures: Sequence[float], factor: float) -> list[Any]:
        """Return the factor on a draw's difference from the one PET."""
        return [factor * temperatures[0]]

    def bits(self, row: pd.DataFrame, spreads: Sequence[Any], seed: int) -> Mapping[str, float]:
        """Return nothing: it tells no density."""
        del row, spreads, seed
        return {}
