"""Figures of unit dissection and of interpolation (GLA-GAN, Fig. 10 and 11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.reporting.brain_frames import Frames
from mri2pet.reporting.brain_views import Brain, centre_of, draw_brain, outline, window_around
from mri2pet.reporting.figures import GREY, INK, empty_figure, scale_of
from mri2pet.reporting.synthesis_figures import pet_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OUTLINE = "#35f0d0"
SIDE_WORDS = {"high": "on", "low": "off"}


@dataclass(frozen=True)
class DissectedUnit:
    """One row of the dissection's figure.

    Attributes
    ----------
    row
        The unit's row of the ranked table, and `chosen`, why it is shown.
    mri, maps
        (2, X, Y, Z) of the negative and of the positive case.
    cases
        Their names.
    """

    row: Mapping[str, Any]
    mri: NDArray
    maps: NDArray
    cases: Sequence[str]


def dissection_figure(
    units: Sequence[DissectedUnit],
    atlas: NDArray,
    mask: NDArray,
    affine: NDArray,
    groups: Sequence[str],
    note: str = "",
) -> "Figure":
    """Draw feature maps over the MRI, a row a unit, the two cases side by side.

    The three planes pass through the centre of the unit's best region, which is outlined. One
    colour scale serves both cases of a row, so that they compare.

    Parameters
    ----------
    units
        What is shown; with none, the figure says so.
    atlas, mask
        (X, Y, Z) labels; boolean.
    affine
        4x4, voxel to world in mm.
    groups, note
        Names of the negative and the positive group; small print below.
    """
    title = "Feature maps of the global path, dissected by AAL region"
    if not units:
        return _nothing(title, note, "no fold has held-out visits of both groups: there is no case")
    window = window_around(mask, affine)
    room = {"left": 2.4, "right": 0.75, "above": 0.3, "below": 0.35}
    frames = Frames(len(units), 2, window.ratio(), 5.2, title, note, **room)
    for row, (line, unit) in enumerate(zip(frames.axes, units, strict=True)):
        region = np.where(mask, atlas, 0) == unit.row["region"]
        centre = centre_of(region, affine)
        low, high = np.percentile(unit.maps[:, mask], [1, 99.5])
        scale = {"cmap": "magma", "vmin": float(low), "vmax": max(float(high), float(low) + 1e-6)}
        left, bottom = frames.corners[row][0]
        _describe(frames.add(0.1, bottom, left - 0.2, frames.tall), unit, centre)
        for case, axis in enumerate(line):
            # within the scale, or nilearn leaves a value out; zero is left out, so none is that
            shown = np.clip(unit.maps[case], low, high) + 1e-9
            brain = Brain(np.where(mask, shown, 0), scale, unit.mri[case], 0.0, 0.75)
            display = draw_brain(axis, brain, window, centre, named=row == 0)
            outline(display, window.image(region), OUTLINE, 1.1)
            high_up = 0.3 if row == 0 else 0.12
            frames.head(case, f"{groups[case]}: {unit.cases[case]}", row, high_up, fontsize=8.5)
        bar = frames.add(frames.width - 0.65, bottom + 0.1 * frames.tall, 0.09, 0.8 * frames.tall)
        scale_of(bar, scale, orientation="vertical")
    return frames.figure


def interpolation_figure(
    steps: pd.DataFrame,
    summary: pd.DataFrame,
    ends: tuple[NDArray, NDArray] | None,
    mri: NDArray | None,
    pet: NDArray | None,
    mask: NDArray,
    affine: NDArray,
    groups: Sequence[str],
    note: str = "",
) -> "Figure":
    """Draw interpolated MRI above synthetic PET, the real pair at either end (Fig. 11).

    Parameters
    ----------
    steps
        The fold's rows of the table; empty where no fold has a pair.
    summary
        One row a fold with `smoothness`.
    ends
        Real MRI and real PET, (2, X, Y, Z) each, of the two visits.
    mri, pet
        (S, X, Y, Z) of the steps.
    mask, affine
        (X, Y, Z) boolean; 4x4, voxel to world in mm.
    groups, note
        Names of the negative and the positive group; small print below.
    """
    title = f"From {groups[0]} to {groups[1]}: interpolated MRI and the PET synthesised from it"
    if steps.empty or ends is None or mri is None or pet is None:
        none = "no fold has held-out visits of both groups: no pair to interpolate"
        return _nothing(title, note, none)
    fold = int(steps["fold"].iloc[0])
    scale = pet_scale(ends[1][:, mask])
    rows = (
        ([ends[0][0], *mri, ends[0][1]], "MRI", {"cmap": "gray", "vmin": 0.0, "vmax": 1.0}),
        ([ends[1][0], *pet, ends[1][1]], "PET", scale),
    )
    window = window_around(mask, affine)
    room = {"left": 0.7, "between": 0.05, "heads": 1.05, "below": 1.0}
    frames = Frames(2, len(steps) + 2, window.ratio("z"), 1.3, title, note, **room)
    for row, (volumes, name, own) in enumerate(rows):
        for axis, volume in zip(frames.axes[row], volumes, strict=True):
            draw_brain(axis, Brain(volume, own), window, planes="z", named=row == 0)
        frames.label(row, name)
    first, last = steps.iloc[0], len(steps) + 1
    for place, role, group in ((0, "negative", groups[0]), (last, "positive", groups[1])):
        name = f"{first[f'{role}_subject']} {first[f'{role}_visit']}"
        frames.head(place, f"real {group}\n{name}", high=0.38, fontsize=8.5)
    for place, weight in enumerate(steps["weight"], start=1):
        frames.head(place, f"{weight:.2f}", fontsize=9)
    number = summary.loc[summary["fold"] == fold, "smoothness"].iloc[0]
    below = [
        (f"P({groups[0]})", f"decision for {groups[1]}", "change x 1000"),
        *(
            (
                _number(row.probability_negative),
                _number(row.score),
                "" if np.isnan(row.step_norm) else f"{1000 * row.step_norm:.1f}",
            )
            for row in steps.itertuples()
        ),
        (f"fold {fold}", "smoothness", f"{number:.2f}"),
    ]
    for (left, bottom), lines in zip(frames.corners[1], below, strict=True):
        middle = left + frames.wide / 2
        frames.write(middle, bottom - 0.2, lines[0], fontsize=11, weight="bold")
        frames.write(middle, bottom - 0.42, lines[1], fontsize=8.5, color=GREY)
        frames.write(middle, bottom - 0.6, lines[2], fontsize=8.5, color=GREY)
    return frames.figure


def _describe(axis: "Axes", unit: DissectedUnit, centre: Sequence[float]) -> None:
    """Write what a row shows."""
    row = unit.row
    axis.set_axis_off()
    lines = [
        f"layer {row['layer']}, unit {row['unit']}, fold {row['fold']}",
        f"{SIDE_WORDS[row['side']]} in {row['name']}",
        f"IoU {row['iou']:.3f}; atlas turned {row['turned_iou']:.3f}",
        f"AUC {row['auc']:.2f} ({row['n_positive']} against {row['n_negative']})",
        "x, y, z = " + ", ".join(f"{value:.0f}" for value in centre) + " mm",
    ]
    axis.text(0.04, 0.98, row["chosen"], fontsize=8.5, color=GREY, va="top", style="italic")
    axis.text(0.04, 0.82, lines[0], fontsize=9.5, color=INK, va="top", weight="bold")
    axis.text(0.04, 0.66, "\n".join(lines[1:]), fontsize=8.5, color=INK, va="top", linespacing=1.5)


def _number(value: float) -> str:
    return "n/a" if np.isnan(value) else f"{value:.2f}"


def _nothing(title: str, note: str, why: str) -> "Figure":
    figure = empty_figure(title, note)
    figure.text(0.5, 0.5, why, fontsize=11, color=GREY, ha="center", va="center")
    return figure
