"""Figures of ageing: one MRI at several ages, regional means over age (DUAL-GLOW, Fig. 6, 7)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.errors import InputError
from mri2pet.evaluation.ageing import by_person, fit_line, mean_curve
from mri2pet.evaluation.image_tables import REFERENCES
from mri2pet.evaluation.regions import OWN_AGE, SET_AGE, check_regions
from mri2pet.reporting.brain_frames import Frames
from mri2pet.reporting.brain_views import Brain, draw_brain, window_around
from mri2pet.reporting.figures import GREY, INK, heading, plot_axis
from mri2pet.reporting.synthesis_figures import CLEAR, difference_scale, pet_scale, said_clear

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {
    "CN": "#2f6db3",
    "SMC": "#6aa5d8",
    "EMCI": "#8fb573",
    "MCI": "#d99a21",
    "LMCI": "#c7762b",
    "AD": "#c2384a",
}
OTHER = "#66727f"


def ages_figure(
    volumes: NDArray,
    ages: Sequence[float],
    mask: NDArray,
    template: NDArray,
    affine: NDArray,
    title: str,
    note: str = "",
    trained: Sequence[float] = (),
) -> "Figure":
    """Draw one MRI's PET at several ages, a row an age, and what differs from the first (Fig. 6).

    Parameters
    ----------
    volumes
        (ages, X, Y, Z) PET, 0..1, RAS.
    ages
        Years, a volume each.
    mask, template
        (X, Y, Z): boolean, inside which differences are shown; the template's brain on this grid.
    affine
        4x4, voxel to world in mm.
    title, note
        Above the figure; small print below it.
    trained
        The youngest and the oldest age that the generator has learnt from: ages outside are marked
        by a star. Empty: none is.
    """
    if len(volumes) != len(ages) or len(ages) < 2:
        raise InputError(f"{title}: {len(volumes)} volumes for {len(ages)} ages; two are needed")
    changes = np.where(mask, volumes - volumes[:1], 0.0)
    pet = pet_scale(volumes[:, mask])
    change = difference_scale(changes[1:, mask], 1e-4)
    clear = CLEAR * change["vmax"]
    outside = [bool(trained) and not trained[0] <= age <= trained[1] for age in ages]
    if any(outside):
        note = f"* outside the training people's ages ({trained[0]:g} to {trained[1]:g}). {note}"
    window = window_around(mask, affine)
    frames = Frames(len(ages), 2, window.ratio(), 4.6, title, note.strip())
    frames.head(0, "PET")
    frames.head(1, f"minus the PET at age {ages[0]:g}, over the MNI152 template", row=1)
    for row, (age, star) in enumerate(zip(ages, outside, strict=True)):
        left, right = frames.axes[row]
        draw_brain(left, Brain(volumes[row], pet), window, named=row == 0)
        if row:
            brain = Brain(changes[row], change, template, clear)
            draw_brain(right, brain, window, named=row == 1)
        frames.label(row, f"age {age:g}{'*' if star else ''}", color=GREY if star else INK)
    frames.scale(0, 0, pet, "PET intensity")
    frames.scale(1, 1, change, said_clear(change, f"difference to age {ages[0]:g}"))
    return frames.figure


def regions_figure(
    values: pd.DataFrame,
    regions: Sequence[str],
    groups: Sequence[str],
    label: str,
    note: str = "",
) -> "Figure":
    """Draw regional means over age by diagnosis, a row a region (Fig. 7).

    Columns: real PET and synthetic PET of the held-out visits over people's own age, each with
    the regression line and its 95% confidence band; and the synthetic PET of the same MRIs over
    the age that the generator was told, its mean with the 95% interval, a thin line a visit, dashed
    outside the ages of the training people (of any fold, for the mean).

    Parameters
    ----------
    values
        As `evaluation.regions.region_values` makes them: of `real_pet` and of one model. A column
        `outside`, if there is one, says which ages are outside the training people's.
    regions, groups
        Those shown, in this order.
    label, note
        Name of the model; small print below.
    """
    from matplotlib.figure import Figure

    check_regions(regions, values["region"].unique().tolist())
    groups = [group for group in groups if group in set(values["group"])]
    figure = Figure(figsize=(13, 1.5 + 2.7 * len(regions)), layout="constrained")
    heading(figure, f"{label}: regional PET over age, held-out visits", note)
    axes = figure.subplots(len(regions), 3, sharex="col", squeeze=False)
    real = values["method"] == "real_pet"
    panels = (
        ("real PET, own age", values[real], OWN_AGE),
        ("synthetic PET, own age", values[~real], OWN_AGE),
        ("synthetic PET, age set, all else the same", values[~real], SET_AGE),
    )
    for line, region in zip(axes, regions, strict=True):
        for axis, (title, chosen, curve) in zip(line, panels, strict=True):
            own = chosen[(chosen["region"] == region) & (chosen["curve"] == curve)]
            for group in groups:
                draw = _draw_set_age if curve == SET_AGE else _draw_own_age
                draw(axis, own[own["group"] == group], COLOURS.get(group, OTHER), group)
            plot_axis(axis, title if region == regions[0] else "")
        line[0].set_ylabel(region.replace("_", " "), fontsize=10, color=INK, weight="bold")
        _scale_to_people(line[:2], values, region)
    for axis, (_, _, curve) in zip(axes[-1], panels, strict=True):
        text = "age of the person, years" if curve == OWN_AGE else "age told to the generator"
        axis.set_xlabel(text, fontsize=9, color=GREY)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=6, fontsize=9.5, frameon=False)
    return figure


def _scale_to_people(axes: Sequence["Axes"], values: pd.DataFrame, region: str) -> None:
    """Give the panels of own age one scale, by their dots: bands of few people are wider."""
    shown = values[(values["region"] == region) & (values["curve"] == OWN_AGE)]["value"]
    low, high = shown.min(), shown.max()
    margin = max(0.3 * (high - low), 0.01)
    for axis in axes:
        axis.set_ylim(low - margin, high + margin)


def _draw_own_age(axis: "Axes", values: pd.DataFrame, colour: str, group: str) -> None:
    """Draw a dot a person, the regression line and its band."""
    people = by_person(values)
    axis.plot(people["age"], people["value"], "o", ms=4.5, color=colour, alpha=0.8, label=group)
    line = fit_line(people["age"], people["value"])
    if line:
        ages = np.linspace(people["age"].min(), people["age"].max(), 50)
        middle, half = line.at(ages), line.half_width(ages)
        axis.plot(ages, middle, color=colour, lw=1.8)
        axis.fill_between(ages, middle - half, middle + half, color=colour, alpha=0.15, lw=0)


def _draw_set_age(axis: "Axes", values: pd.DataFrame, colour: str, group: str) -> None:
    """Draw a thin line a visit, and the mean over people with its interval."""
    outside = values["outside"].eq(True) if "outside" in values else values["age"].isna()
    for _, own in values.assign(outside=outside).groupby(["subject", "visit"]):
        own = own.sort_values("age")
        shown = {"color": colour, "lw": 0.7, "alpha": 0.35}
        _draw_partly_dashed(axis, own["age"], own["value"], own["outside"], shown)
    curve = mean_curve(values)
    low, high = (curve["mean"] - curve["half_width"], curve["mean"] + curve["half_width"])
    beyond = curve["age"].isin(values.loc[outside, "age"])
    shown = {"color": colour, "lw": 2}
    _draw_partly_dashed(axis, curve["age"], curve["mean"], beyond, shown)
    axis.fill_between(curve["age"], low, high, color=colour, alpha=0.15, lw=0)


def _draw_partly_dashed(
    axis: "Axes", x: pd.Series, y: pd.Series, dashed: pd.Series, shown: dict[str, object]
) -> None:
    """Draw a line over age, dashed before the first and after the last point that is not dashed."""
    x, y = (np.asarray(values, dtype=float) for values in (x, y))
    solid = np.flatnonzero(~dashed.to_numpy(bool))
    first, last = (solid[0], solid[-1]) if len(solid) else (len(x) - 1, len(x))
    for piece, style in (
        (slice(first, last + 1), "-"),
        (slice(0, first + 1), "--"),
        (slice(last, None), "--"),
    ):
        if len(x[piece]) > 1:
            axis.plot(x[piece], y[piece], style, **shown)


def slopes_listing(
    slopes: pd.DataFrame, labels: dict[str, str], regions: Sequence[str]
) -> pd.DataFrame:
    """Return slopes as text: a row a method, age and region, a column a group.

    Parameters
    ----------
    slopes
        As `evaluation.ageing.slope_table` makes them.
    labels
        Model to label.
    regions
        Those shown, in this order.
    """
    names = {OWN_AGE: "the person's own", SET_AGE: "set, all else the same"}
    rows = []
    for (method, curve, region), own in slopes.groupby(["method", "curve", "region"], sort=False):
        if region in regions:
            head = {
                "PET": {**REFERENCES, **labels}.get(method, method),
                "Age": names.get(curve, curve),
                "Region": region.replace("_", " "),
            }
            rows.append(head | {row.group: _interval(row) for row in own.itertuples()})
    return pd.DataFrame(rows)


def _interval(row: object) -> str:
    """Write slope and interval in thousandths."""
    if np.isnan(row.slope):
        return f"n/a ({row.n})"
    slope, low, high = (1000 * value for value in (row.slope, row.low, row.high))
    where = "" if np.isnan(low) else f" [{low:.1f}, {high:.1f}]"
    return f"{slope:.1f}{where} ({row.n})"
