"""Frames for brains: rows and columns of one size, with labels and common scales around them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mri2pet.reporting.figures import INK, heading, scale_of, two_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Frames:
    """A figure of frames of one size in rows and columns, each for one brain.

    nilearn places its planes once and for all: nothing is laid out anew when the figure is drawn.

    Parameters
    ----------
    rows, columns
        How many.
    ratio
        Width by height of a frame (`Window.ratio`).
    wide
        Width of a frame, inches.
    title, note
        Above the figure; small print below it.
    left, right, between
        Room left and right of the frames and between two of a row, inches.
    above, heads
        Room above each row, and above the first one for the names of views and columns.
    below
        Room below the frames for scales and the note.
    """

    def __init__(
        self,
        rows: int,
        columns: int,
        ratio: float,
        wide: float,
        title: str,
        note: str = "",
        *,
        left: float = 1.0,
        right: float = 0.1,
        between: float = 0.12,
        above: float = 0.06,
        heads: float = 0.75,
        below: float = 0.85,
    ) -> None:
        from matplotlib.figure import Figure

        tall = wide / ratio
        self.width = left + columns * wide + (columns - 1) * between + right
        self.height = heads + rows * tall + (rows - 1) * above + below
        self.figure = Figure(figsize=(self.width, self.height))
        heading(self.figure, title, note, high=1 - 0.08 / self.height, low=0.06 / self.height)
        self.corners = [
            [
                (left + column * (wide + between), below + (rows - 1 - row) * (tall + above))
                for column in range(columns)
            ]
            for row in range(rows)
        ]
        self.wide, self.tall = wide, tall
        self.axes = [[self.add(*corner, wide, tall) for corner in line] for line in self.corners]
        for axis in (axis for line in self.axes for axis in line):
            axis.set_axis_off()

    def add(self, left: float, bottom: float, wide: float, tall: float) -> "Axes":
        """Add axes at a place in inches."""
        inches = [self.width, self.height, self.width, self.height]
        return self.figure.add_axes(tuple(np.divide([left, bottom, wide, tall], inches)))

    def write(self, left: float, bottom: float, text: str, **look: Any) -> None:
        """Write at a place in inches."""
        look = {"fontsize": 10, "color": INK, "ha": "center", "va": "center"} | look
        self.figure.text(left / self.width, bottom / self.height, text, **look)

    def label(self, row: int, text: str, **look: Any) -> None:
        """Write beside a row, upwards."""
        left, bottom = self.corners[row][0]
        look = {"rotation": 90, "weight": "bold"} | look
        self.write(left - 0.3, bottom + self.tall / 2, two_lines(text), **look)

    def head(self, column: int, text: str, row: int = 0, high: float = 0.3, **look: Any) -> None:
        """Write above a column."""
        left, bottom = self.corners[row][column]
        self.write(left + self.wide / 2, bottom + self.tall + high, text, weight="bold", **look)

    def scale(self, first: int, last: int, scale: Mapping[str, Any], text: str) -> None:
        """Draw the scale of some columns below them."""
        left, right = self.corners[0][first][0], self.corners[0][last][0] + self.wide
        wide = min(3.2, 0.6 * (right - left))
        axis = self.add((left + right - wide) / 2, 0.62, wide, 0.09)
        scale_of(axis, scale, text)
