"""Figure of the study of scanners: what another scanner costs, and what harmonising gives back."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from mri2pet.evaluation.comparison import Measured
from mri2pet.evaluation.resampling import interval
from mri2pet.reporting.figures import GREY, heading, plot_axis
from synthesis_figures import COLOURS

STEP = 0.22  # between the dots of one method, in rows
Dots = Mapping[str, Mapping[str, Measured]]  # what was done to method to its value


def scanner_figure(panels: Sequence[tuple[str, Dots]], labels: Mapping[str, str]) -> Figure:
    """Draw a panel a measure, a row a method, and a dot with its interval for each that was done.

    Each panel has the methods that were measured there, in their own order.
    """
    rows = max(len(set().union(*dots.values())) for _, dots in panels)
    figure = Figure(figsize=(5.6 * len(panels), 1.9 + 0.5 * rows), layout="constrained")
    heading(figure, "On a scanner that was not learnt from", "bars: 95% interval over people")
    colours = dict(zip(dict.fromkeys(d for _, dots in panels for d in dots), COLOURS, strict=False))
    for axis, (words, dots) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        methods = list(dict.fromkeys(name for own in dots.values() for name in own))[::-1]
        for number, (done, own) in enumerate(dots.items()):
            there = [name for name in methods if name in own]
            places = np.array([methods.index(name) for name in there]) - STEP * (number - 0.5)
            means = np.array([own[name].mean for name in there])
            ends = [interval(own[name].resampled, own[name].smallest) for name in there]
            ends = [
                end if np.isfinite(end).all() else (m, m)
                for end, m in zip(ends, means, strict=True)
            ]
            reach = np.abs(np.array(ends).T - means)
            axis.errorbar(means, places, xerr=reach, fmt="o", color=colours[done], ms=5, label=done)
        plot_axis(axis)
        axis.grid(axis="x", color="#e6eaee", lw=0.8)
        axis.set_yticks(range(len(methods)), [labels.get(name, name) for name in methods])
        axis.set_ylim(-0.7, len(methods) - 0.3)
        axis.set_xlabel(words, fontsize=9, color=GREY)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=3, frameon=False)
    return figure
