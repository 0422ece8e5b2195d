"""Figures of error: MAE by method as boxes (DUAL-GLOW, Fig. 4), uncertainty and its calibration."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.errors import InputError
from mri2pet.reporting.brain_frames import Frames
from mri2pet.reporting.brain_views import Brain, draw_brain, window_around
from mri2pet.reporting.figures import GREY, INK, heading, plot_axis, two_lines
from mri2pet.reporting.synthesis_figures import pet_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, RED = "#2f6db3", "#c2384a"
PLACES = 0.32  # how far dots are spread to either side of a box's middle


def mae_figure(
    values: pd.DataFrame, labels: Mapping[str, str], groups: Sequence[str] = (), note: str = ""
) -> "Figure":
    """Draw a box of mean absolute errors a method over the held-out people (Fig. 4).

    A dot a person (visits averaged), as in Table 1's test; box: quartiles and median; whiskers:
    the furthest dots within 1.5 interquartile ranges.

    Parameters
    ----------
    values
        One row a visit and metric: method subject group metric value.
    labels
        Method to label, in the order from left to right.
    groups
        Groups whose visits count; all if none is named.
    note
        Small print below.
    """
    from matplotlib.figure import Figure

    errors = values[values["metric"] == "MAE"]
    if groups:
        errors = errors[errors["group"].isin(groups)]
    people = errors.groupby(["method", "subject"])["value"].mean()
    if lost := [method for method in labels if method not in people.index.get_level_values(0)]:
        raise InputError(f"no mean absolute error of {', '.join(lost)}")
    boxes = [people.loc[method].to_numpy() for method in labels]
    figure = Figure(figsize=(2.0 + 1.35 * len(labels), 4.8), layout="constrained")
    heading(figure, "Mean absolute error by method, held-out people", note)
    axis = figure.subplots()
    drawn = axis.boxplot(boxes, widths=0.6, showfliers=False, patch_artist=True)
    for box in drawn["boxes"]:
        box.set(facecolor="#dfe9f5", edgecolor=BLUE)
    for part in ("whiskers", "caps"):
        for line in drawn[part]:
            line.set(color=BLUE)
    for line in drawn["medians"]:
        line.set(color=RED, lw=2)
    for place, dots in enumerate(boxes, start=1):
        # spread by rank, not by chance: the same picture every time
        at = place + PLACES * (np.argsort(np.argsort(dots)) * 0.618034 % 1 - 0.5)
        axis.plot(at, dots, "o", ms=3, color=INK, alpha=0.45, mew=0)
    axis.set_xticks(range(1, len(labels) + 1), [two_lines(text) for text in labels.values()])
    axis.set_ylabel("MAE, intensity in 0..1", fontsize=9.5, color=GREY)
    axis.set_ylim(bottom=0)
    plot_axis(axis)
    axis.tick_params(axis="x", length=0, labelsize=9)
    return figure


def uncertainty_figure(
    real: NDArray,
    mean: NDArray,
    sd: NDArray,
    mask: NDArray,
    affine: NDArray,
    coverage: pd.DataFrame,
    title: str,
    note: str = "",
) -> "Figure":
    """Draw one visit's mean and standard deviation over draws beside its error, and coverage.

    Coverage: how large a share of the brain's voxels has its real PET inside the interval between
    draws that should hold the nominal share; a thin line a visit, a thick one their mean. Below
    the diagonal a model is surer than it should be.

    Parameters
    ----------
    real, mean, sd
        (X, Y, Z) real PET; mean and sd over draws.
    mask, affine
        (X, Y, Z) boolean; 4x4, voxel to world in mm.
    coverage
        All held-out visits: subject visit nominal chosen coverage; shares of one.
    title, note
        Above the figure; small print below it.
    """
    error = np.where(mask, np.abs(mean.astype(float) - real), 0.0)
    wide = max(float(np.percentile(np.concatenate([error[mask], sd[mask]]), 99.5)), 1e-4)
    pet, spread = pet_scale(real[mask]), {"cmap": "viridis", "vmin": 0.0, "vmax": wide}
    columns = (
        (("real", real), ("mean of draws", mean), pet, "PET intensity"),
        (("sd of draws", np.where(mask, sd, 0)), ("absolute error", error), spread, "sd and error"),
    )
    window = window_around(mask, affine)
    look = {"left": 0.1, "right": 4.6, "above": 0.35}
    frames = Frames(2, 2, window.ratio(), 4.6, title, note, **look)
    for column, (*pair, scale, text) in enumerate(columns):
        for row, (name, volume) in enumerate(pair):
            draw_brain(frames.axes[row][column], Brain(volume, scale), window, named=row == 0)
            frames.head(column, name, row, 0.3 if row == 0 else 0.13)
        frames.scale(column, column, scale, text)
    room = frames.height - 1.5
    _draw_coverage(frames.add(frames.width - 3.9, 0.75, 3.7, room), coverage)
    return frames.figure


def _draw_coverage(axis: "Axes", coverage: pd.DataFrame) -> None:
    """Draw measured against nominal coverage, of the intervals in use."""
    coverage = coverage[coverage["chosen"] == 1]
    axis.plot([0, 1], [0, 1], color="#aab3bc", lw=1.2, ls="--", label="as it says")
    for _, own in coverage.groupby(["subject", "visit"]):
        own = own.sort_values("nominal")
        axis.plot(own["nominal"], own["coverage"], color=BLUE, lw=0.7, alpha=0.35)
    mean = coverage.groupby("nominal")["coverage"].mean()
    text = f"mean of {len(coverage[['subject', 'visit']].drop_duplicates())} held-out visits"
    axis.plot(mean.index, mean, "o-", color=BLUE, lw=2.2, ms=5, label=text)
    axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    plot_axis(axis, "Coverage of the intervals between draws")
    axis.set_xlabel("nominal: the interval should hold", fontsize=9, color=GREY)
    axis.set_ylabel("measured: share of the brain's voxels it held", fontsize=9, color=GREY)
    axis.legend(fontsize=9, frameon=False, loc="upper left")
