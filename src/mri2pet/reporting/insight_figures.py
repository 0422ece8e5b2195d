"""Figures of unit dissection and of interpolation (GLA-GAN, Fig. 10 and 11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.reporting.figures import GREY, INK, PLANES, colour_bar, plane

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


def region_centre(atlas: NDArray, region: int, affine: NDArray) -> NDArray:
    """Return, in world mm, the region's voxel that is nearest to its centre of mass."""
    voxels = np.argwhere(atlas == region)
    nearest = voxels[((voxels - voxels.mean(0)) ** 2).sum(1).argmin()]
    return affine[:3, :3] @ nearest + affine[:3, 3]


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
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.5, 1.2 + 2.05 * max(len(units), 1)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.03, wspace=0, hspace=0)
    _heads(figure, "Feature maps of the global path, dissected by AAL region", note)
    if not units:
        return _nothing(figure, "no fold has held-out visits of both groups: there is no case")
    axes = figure.subplots(len(units), 7, width_ratios=[1.25, *[1] * 6], squeeze=False)
    for line, unit in zip(axes, units, strict=True):
        region = np.where(mask, atlas, 0) == unit.row["region"]
        centre = region_centre(region, 1, affine)
        low, high = np.percentile(unit.maps[:, mask], [1, 99.5])
        _describe(line[0], unit, centre)
        for case in range(2):
            for name, axis in zip(PLANES, line[1 + 3 * case : 4 + 3 * case], strict=True):
                mri, extent, _ = plane(unit.mri[case], name, affine, centre)
                shown = np.where(mask, unit.maps[case], np.nan)
                where = {"origin": "lower", "extent": extent, "interpolation": "nearest"}
                axis.imshow(mri, cmap="gray", vmin=0, vmax=1, **where)
                image = axis.imshow(
                    plane(shown, name, affine, centre)[0],
                    cmap="magma", vmin=low, vmax=max(high, low + 1e-6), alpha=0.75, **where,
                )  # fmt: skip
                edge = plane(region.astype(float), name, affine, centre)[0]
                axis.contour(
                    edge, [0.5], colors=OUTLINE, linewidths=1.1, origin="lower", extent=extent
                )
                _bare(axis)
                if name == PLANES[1]:
                    axis.set_title(f"{groups[case]}: {unit.cases[case]}", fontsize=8.5, color=INK)
        colour_bar(figure, image, line[-1], size=7, location=None, shrink=0.8, aspect=14)
    return figure


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
    from matplotlib.figure import Figure

    columns = len(steps) + 2
    figure = Figure(figsize=(1.0 + 1.35 * max(columns, 8), 4.8), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)
    title = f"From {groups[0]} to {groups[1]}: interpolated MRI and the PET synthesised from it"
    _heads(figure, title, note)
    if steps.empty or ends is None or mri is None or pet is None:
        return _nothing(
            figure, "no fold has held-out visits of both groups: no pair to interpolate"
        )
    fold = int(steps["fold"].iloc[0])
    tops = max(float(np.percentile(ends[1][:, mask], 99.9)), 1e-3)
    rows = (
        ([ends[0][0], *mri, ends[0][1]], "MRI", {"cmap": "gray", "vmin": 0, "vmax": 1}),
        ([ends[1][0], *pet, ends[1][1]], "PET", {"cmap": "magma", "vmin": 0, "vmax": tops}),
    )
    axes = figure.subplots(3, columns, height_ratios=[1, 1, 0.5])
    for line, (volumes, name, scale) in zip(axes, rows, strict=False):
        for axis, volume in zip(line, volumes, strict=True):
            picture, extent, _ = plane(volume, "axial", affine)
            axis.imshow(
                picture, origin="lower", extent=extent, interpolation="nearest", aspect="equal",
                **scale,
            )  # fmt: skip
            _bare(axis)
        line[0].set_ylabel(name, fontsize=11, color=INK, weight="bold")
    first = steps.iloc[0]
    for place, role, group in ((0, "negative", groups[0]), (-1, "positive", groups[1])):
        name = f"{first[f'{role}_subject']} {first[f'{role}_visit']}"
        axes[0, place].set_title(f"real {group}\n{name}", fontsize=8.5, color=INK, weight="bold")
    for axis, weight in zip(axes[0, 1:-1], steps["weight"], strict=True):
        axis.set_title(f"{weight:.2f}", fontsize=9, color=INK)
    legend = (f"P({groups[0]})", f"decision for {groups[1]}", "change x 1000")
    number = summary.loc[summary["fold"] == fold, "smoothness"].iloc[0]
    _three_lines(axes[2, 0], legend)
    _three_lines(axes[2, -1], (f"fold {fold}", "smoothness", f"{number:.2f}"))
    for axis, row in zip(axes[2, 1:-1], steps.itertuples(), strict=True):
        change = "" if np.isnan(row.step_norm) else f"{1000 * row.step_norm:.1f}"
        _three_lines(axis, (_number(row.probability_negative), _number(row.score), change))
    return figure


def _describe(axis: "Axes", unit: DissectedUnit, centre: NDArray) -> None:
    """Write what a row shows."""
    row = unit.row
    _bare(axis)
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


def _three_lines(axis: "Axes", lines: Sequence[str]) -> None:
    """Write a large line and two small ones."""
    _bare(axis)
    axis.text(0.5, 0.78, lines[0], fontsize=11.5, color=INK, ha="center", weight="bold")
    axis.text(0.5, 0.42, lines[1], fontsize=8.5, color=GREY, ha="center")
    axis.text(0.5, 0.08, lines[2], fontsize=8.5, color=GREY, ha="center")


def _number(value: float) -> str:
    return "n/a" if np.isnan(value) else f"{value:.2f}"


def _heads(figure: "Figure", title: str, note: str) -> None:
    figure.suptitle(title, fontsize=13, color=INK, x=0.01, ha="left", weight="bold")
    if note:
        figure.supxlabel(note, fontsize=8.5, color=GREY, x=0.01, ha="left")


def _nothing(figure: "Figure", why: str) -> "Figure":
    figure.text(0.5, 0.5, why, fontsize=11, color=GREY, ha="center", va="center")
    return figure


def _bare(axis: "Axes") -> None:
    """Leave nothing of an axis but its picture."""
    axis.set(xticks=[], yticks=[], facecolor="none")
    axis.spines[:].set_visible(False)
