"""Figures of synthetic PET: beside its error (GLA-GAN, Fig. 4 and 7), beside MRI and real PET."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mri2pet.reporting.brain_frames import Frames
from mri2pet.reporting.brain_views import Brain, draw_brain, window_around

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLEAR = 0.1  # of the scale: differences below it leave the template in sight


def pet_scale(pet: NDArray) -> dict[str, object]:
    """Return one colour scale for PET, 0..1; of the brain's voxels, any shape."""
    return {"cmap": "magma", "vmin": 0.0, "vmax": max(float(np.percentile(pet, 99.9)), 1e-3)}


def difference_scale(differences: NDArray, least: float = 1e-3) -> dict[str, object]:
    """Return one colour scale for differences, alike to both sides; of the brain's voxels.

    Parameters
    ----------
    differences
        Of any shape; none at all gives the least scale.
    least
        Smallest end of the scale.
    """
    size = np.abs(differences)
    limit = max(float(np.percentile(size, 99.5)) if size.size else 0.0, least)
    return {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}


def said_clear(scale: Mapping[str, object], text: str) -> str:
    """Say of a scale of differences what is not drawn."""
    return f"{text} (less than {CLEAR * float(scale['vmax']):.2g}: clear)"  # type: ignore[arg-type]


def synthesis_figure(
    real: NDArray,
    synthetic: Mapping[str, NDArray],
    mask: NDArray,
    template: NDArray,
    affine: NDArray,
    title: str,
    note: str = "",
) -> "Figure":
    """Draw real PET, and a row a model synthetic PET and its error over the template.

    One colour scale serves all PET and one all errors, so that rows compare.

    Parameters
    ----------
    real
        (X, Y, Z) PET, 0..1, RAS.
    synthetic
        Label to PET (X, Y, Z) of each model.
    mask
        (X, Y, Z) boolean; errors are those inside it, the ones that the metrics count.
    template
        (X, Y, Z) brain of the template on the same grid.
    affine
        4x4, voxel to world in mm.
    title, note
        Above the figure; small print below it.
    """
    errors = {
        label: np.where(mask, volume.astype(float) - real, 0.0)
        for label, volume in synthetic.items()
    }
    pet = pet_scale(real[mask])
    error = difference_scale(np.concatenate([each[mask] for each in errors.values()]))
    clear = CLEAR * error["vmax"]
    window = window_around(mask, affine)
    frames = Frames(1 + len(synthetic), 2, window.ratio(), 4.6, title, note)
    draw_brain(frames.axes[0][0], Brain(real, pet), window, named=True)
    frames.head(0, "PET")
    frames.label(0, "Real PET")
    frames.head(1, "synthetic minus real, over the MNI152 template", row=1)
    for row, (label, volume) in enumerate(synthetic.items(), start=1):
        left, right = frames.axes[row]
        draw_brain(left, Brain(volume, pet), window)
        draw_brain(right, Brain(errors[label], error, template, clear), window, named=row == 1)
        frames.label(row, label)
    frames.scale(0, 0, pet, "PET intensity")
    frames.scale(1, 1, error, said_clear(error, "synthetic minus real"))
    return frames.figure


def example_figure(
    mri: NDArray,
    synthetic: Mapping[str, NDArray],
    real: NDArray,
    mask: NDArray,
    affine: NDArray,
    title: str,
    note: str = "",
) -> "Figure":
    """Draw MRI, synthetic and real PET of one person, two volumes a row (anomaly paper, Fig. 2).

    Parameters
    ----------
    mri, real
        (X, Y, Z), 0..1, RAS.
    synthetic
        Label to PET (X, Y, Z), in the order between MRI and real PET.
    mask
        (X, Y, Z) boolean.
    affine
        4x4, voxel to world in mm.
    title, note
        Above the figure; small print below it.
    """
    pet = pet_scale(real[mask])
    grey = {"cmap": "gray", "vmin": 0.0, "vmax": float(np.percentile(mri[mask], 99.9))}
    brains = [
        ("MRI", Brain(np.where(mask, mri, 0), grey)),
        *((label, Brain(volume, pet)) for label, volume in synthetic.items()),
        ("real PET", Brain(real, pet)),
    ]
    window = window_around(mask, affine)
    rows = -(-len(brains) // 2)
    frames = Frames(rows, 2, window.ratio(), 4.9, title, note, left=0.1, above=0.35)
    places = [(row, column) for row in range(rows) for column in range(2)]
    for (row, column), (label, brain) in zip(places, brains, strict=False):
        draw_brain(frames.axes[row][column], brain, window, named=row == 0)
        frames.head(column, label, row, 0.3 if row == 0 else 0.13)
    frames.scale(0, 1, pet, "PET intensity")
    return frames.figure
