"""What the first screen of the report is made of, and how an interval becomes a word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

BETTER, WORSE, UNTOLD = "better", "worse", "cannot tell"
FEW = 20  # people: with fewer, only large differences can be seen


@dataclass(frozen=True)
class Dot:
    """A row of a plot: a value with its 95% interval, and words in further columns.

    Attributes
    ----------
    label, value
        What it is of; the number and its interval as text.
    mean, low, high
        Where the dot lies and from where to where its line goes; NaN where there is none.
    words
        As many as the plot has `heads`.
    chance
        Mean, low and high of chance, drawn below it; empty where there is none.
    reference
        Whether it is a yardstick and no network.
    """

    label: str
    value: str
    mean: float
    low: float
    high: float
    words: Sequence[str] = ()
    chance: Sequence[float] = ()
    reference: bool = False


@dataclass(frozen=True)
class Plot:
    """Dots and intervals over one axis from `start` to `end`.

    Attributes
    ----------
    title, axis
        What is drawn; heading of the column of numbers.
    marks
        Place on the axis to the word above its line.
    heads
        Headings of the further columns.
    note
        Small print below it.
    """

    title: str
    axis: str
    start: float
    end: float
    dots: Sequence[Dot]
    marks: Mapping[float, str] = field(default_factory=dict)
    heads: Sequence[str] = ()
    note: str = ""

    def place(self, value: float) -> float:
        """Return where a value lies, in percent of the axis; the ends hold what is beyond."""
        share = (value - self.start) / (self.end - self.start)
        return round(100 * float(np.clip(share, 0, 1)), 2)

    def beyond(self, value: float) -> bool:
        """Tell whether a value lies off the axis."""
        return not self.start <= value <= self.end

    def described(self) -> str:
        """Say in words what it shows, for who cannot see it."""
        rows = "; ".join(f"{dot.label} {dot.value}" for dot in self.dots)
        marks = ", ".join(f"{word} at {place:g}" for place, word in self.marks.items())
        return f"{self.title}. {self.axis}: {rows}." + (f" Lines: {marks}." if marks else "")


@dataclass(frozen=True)
class Finding:
    """What one table says: a part of the sentence, what stands below it, its plots."""

    clause: str
    details: Sequence[str] = ()
    plots: Sequence[Plot] = ()


@dataclass(frozen=True)
class Result:
    """What is said of one system: one sentence, details, plots, and what limits it.

    `section` is the anchor of its first section; `picture` a small picture with its title.
    """

    system: str
    name: str
    sentence: str
    details: Sequence[str] = ()
    plots: Sequence[Plot] = ()
    section: str = ""
    picture: tuple[str, str] = ("", "")
    studies: Sequence[str] = ()


@dataclass(frozen=True)
class Summary:
    """The first screen: what was run, on whom, whether it is sound, what came out."""

    what: str
    whom: Sequence[str]
    sound: Sequence[str]
    results: Sequence[Result]


def verdict(low: float, high: float, zero: float = 0.0, less_is_better: bool = True) -> str:
    """Turn the 95% interval of a difference into a word.

    Parameters
    ----------
    low, high
        The interval; NaN where so few people give none.
    zero
        The value of no difference.
    less_is_better
        Whether a smaller value is the better one.

    Returns
    -------
    `BETTER` or `WORSE` where the whole interval lies on one side of `zero`, `UNTOLD` otherwise.
    """
    if not np.isfinite([low, high]).all() or low <= zero <= high:
        return UNTOLD
    return BETTER if (high < zero) == less_is_better else WORSE


def between(mean: float, low: float, high: float, digits: int, unit: str = "") -> str:
    """Write a mean with its interval."""
    if not np.isfinite(mean):
        return "n/a"
    text = f"{mean:.{digits}f}{unit}"
    if not np.isfinite([low, high]).all():
        return text
    return f"{text} ({low:.{digits}f} to {high:.{digits}f})"


def sentence(clauses: Sequence[str]) -> str:
    """Join clauses to one sentence; empty where there is none."""
    said = "; ".join(clause for clause in clauses if clause)
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def people(count: int) -> str:
    """Write a number of people."""
    return "1 person" if count == 1 else f"{count} people"
