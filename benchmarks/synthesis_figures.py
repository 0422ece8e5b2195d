"""Figures of the synthesis study: dots and intervals of the gap, growth, what intervals hold."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mri2pet.evaluation.gap import BEST, WORST
from mri2pet.evaluation.resampling import interval
from mri2pet.reporting.figures import GREY, INK, heading, plot_axis
from study_words import LEVELS
from synthesis_values import Images

COLOURS = ("#2f6db3", "#d1742c", "#3f8f63", "#8a5a9e", "#8a949e", "#c2384a", "#b39b2f")
Growth = Mapping[str, Mapping[int, str]]  # base model to size to the name of that entry


def gap_figure(gaps: pd.DataFrame, images: Images, labels: Mapping[str, str]) -> Figure:
    """Draw the share of the gap of each model with its interval, and a small dot a training."""
    own = gaps.drop([WORST, BEST], errors="ignore").dropna(subset="mean")
    own = own.sort_values("mean", kind="stable")
    figure = Figure(figsize=(9, 1.6 + 0.32 * len(own)), layout="constrained")
    note = "bars: 95% interval over people; small dots: single trainings"
    heading(figure, "How much of the gap each model closes", note)
    axis = figure.subplots()
    places = np.arange(len(own))
    reach = [own["mean"] - own["low"], own["high"] - own["mean"]]
    axis.errorbar(own["mean"], places, xerr=reach, fmt="o", color=COLOURS[0], ms=6, capsize=3)
    for place, name in zip(places, own.index, strict=True):
        single = images.gap_of_trainings(name)
        if len(single) > 1:
            axis.plot(single, np.full(len(single), place - 0.22), ".", color=COLOURS[1], ms=5)
    for at, words in ((0, "Mean PET"), (100, "Oracle")):
        axis.axvline(at, color=GREY, lw=1, ls="--")
        axis.text(at, len(own) - 0.4, f" {words}", color=GREY, fontsize=8.5, va="bottom")
    plot_axis(axis)
    axis.grid(axis="x", color="#e6eaee", lw=0.8)
    axis.set_yticks(places, [labels.get(name, name) for name in own.index])
    axis.set_ylim(-0.6, len(own) + 0.2)
    axis.set_xlim(right=114)
    axis.set_xlabel("share of the gap closed, %", fontsize=9, color=GREY)
    return figure


def growth_figure(
    images: Images, panels: Sequence[tuple[str, Growth]], labels: Mapping[str, str]
) -> Figure:
    """Draw the error over people and over steps: a panel each, a line a model."""
    figure = Figure(figsize=(0.8 + 5.6 * len(panels), 4.6), layout="constrained")
    heading(figure, "How the error falls", "bars: 95% interval over people held out")
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    bases = list(dict.fromkeys(base for _, sets in panels for base in sets))
    colours = dict(zip(bases, COLOURS * len(bases), strict=False))
    for axis, (words, sets) in zip(axes, panels, strict=True):
        for number, (base, own) in enumerate(sets.items()):
            sizes = np.array(sorted(own))
            measured = [images.measured(own[size]) for size in sizes]
            mean = np.array([each.mean for each in measured])
            ends = np.array([interval(each.resampled, each.smallest) for each in measured])
            # beside each other, so that bars are seen
            at = sizes * 1.015 ** (number - (len(sets) - 1) / 2)
            reach = [mean - ends[:, 0], ends[:, 1] - mean]
            axis.errorbar(
                at, mean, yerr=reach, fmt="o-", ms=5, capsize=3, color=colours[base], lw=1.6,
                label=labels.get(base, base),
            )  # fmt: skip
        for name, style in ((WORST, "--"), (BEST, ":")):
            if name in images.methods:
                level = images.measured(name).mean
                axis.axhline(level, color=GREY, lw=1.1, ls=style, label=labels.get(name, name))
        ticks = sorted({size for own in sets.values() for size in own})
        axis.set_xscale("log")
        axis.set_xticks(ticks, [str(tick) for tick in ticks])
        axis.minorticks_off()
        plot_axis(axis)
        axis.set_xlabel(words, fontsize=9, color=GREY)
    axes[0].set_ylabel("MAE, intensity in 0..1", fontsize=9, color=GREY)
    handles = {text: handle for axis in axes for handle, text in zip(*_legend(axis), strict=True)}
    figure.legend(
        handles.values(), handles, loc="outside right center", fontsize=8.5, frameon=False
    )
    return figure


def _legend(axis: object) -> tuple[list, list]:
    return axis.get_legend_handles_labels()


def coverage_figure(table: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw what intervals hold over what they should: a line a method."""
    figure = Figure(figsize=(7.2, 5.4), layout="constrained")
    heading(figure, "What intervals hold", "bars: 95% interval over people held out")
    axis = figure.subplots()
    axis.plot([0, 100], [0, 100], color=GREY, lw=1.1, ls="--", label="as they should")
    by_metric = table.set_index(["method", "metric"])
    methods = list(dict.fromkeys(table["method"]))
    for number, (name, colour) in enumerate(zip(methods, COLOURS * len(methods), strict=False)):
        own = by_metric.loc[name].loc[[f"coverage at {level}" for level in LEVELS]]
        reach = [own["mean"] - own["low"], own["high"] - own["mean"]]
        at = np.array(LEVELS) + 0.5 * (number - (len(methods) - 1) / 2)
        axis.errorbar(
            at, own["mean"], yerr=reach, fmt="o-", ms=4.5, capsize=3, color=colour, lw=1.5,
            label=labels.get(name, name),
        )  # fmt: skip
    plot_axis(axis)
    axis.set(xlim=(40, 101), ylim=(min(40, table_low(table)), 101))
    axis.set_xlabel("the interval should hold, %", fontsize=9, color=GREY)
    axis.set_ylabel("share of the brain's voxels that it holds, %", fontsize=9, color=GREY)
    axis.legend(fontsize=8.5, frameon=False, loc="upper left", labelcolor=INK)
    return figure


def table_low(table: pd.DataFrame) -> float:
    """Return the lowest end of the intervals of coverage, a little below it."""
    held = table[table["metric"].str.startswith("coverage at")]
    return float(held[["mean", "low"]].min().min()) - 2
