"""T1-weighted scans of a simulated head: contrast, coil, noise, pose and grid of an MPRAGE."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from mri2pet.simulation.template import WHITE, Template
from mri2pet.simulation.warps import Deformation, apply

MRI_FIELD = np.array([202.0, 230.0, 222.0])  # mm: left-right, front-back, up-down
SAGITTAL = np.array([[0, 0, -1], [-1, 0, 0], [0, -1, 0]])  # to the back, downwards, to the left
MRI_CENTRE = np.array([0.0, -12.0, -6.0])  # of the field, head world
CHUNK = 2**19  # voxels at a time, which bounds the memory
NOISE = (0.022, 0.032)  # range of its standard deviation; white matter is about 1
BIAS = 0.2  # of the coil's shading, at most
GREY_SD = 0.012  # of the grey matter's signal, between people and between the regions of one


@dataclass(frozen=True)
class Scan:
    """A raw volume: `data` (i, j, k) with k over slices, and its voxel-to-world matrix (RAS mm)."""

    data: NDArray[np.generic]
    affine: NDArray[np.float64]


@dataclass(frozen=True)
class Labels:
    """What stands in each voxel of the T1: brain mask and tissue (0, 1 GM, 2 WM, 3 CSF), uint8."""

    brain: NDArray[np.uint8]
    tissue: NDArray[np.uint8]


def scan_grid(
    axes: NDArray[np.int_],
    field: NDArray[np.float64],
    voxel: NDArray[np.float64],
    centre: NDArray[np.float64],
) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Grid of an acquisition whose axes run along those of the world.

    Parameters
    ----------
    axes
        3x3: a column for each of i, j, k (slices), the direction of the world that it runs along.
    field, voxel
        Field of view and voxel size in mm along x, y, z of the world.
    centre
        World point in the middle of the field of view.

    Returns
    -------
    tuple
        Shape (rows run along i) and 4x4 voxel-to-world matrix.
    """
    along = np.abs(axes).argmax(axis=0)  # the world's axis of each of the grid's
    counts = [2 * round(f / size / 2) for f, size in zip(field, voxel, strict=True)]
    shape = tuple(counts[axis] for axis in along)
    affine = np.eye(4)
    affine[:3, :3] = axes * voxel[along]
    affine[:3, 3] = centre - affine[:3, :3] @ (np.array(shape) - 1) / 2
    return shape, affine


def field_centre(
    pose: NDArray[np.float64], centre: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Middle of the field of view as a technician sets it: on the head, to some mm."""
    return np.round(apply(pose, centre[None])[0] + rng.uniform(-3, 3, 3), 2)


def t1_contrast(
    template: Template,
    age: float,
    rng: np.random.Generator,
    trait: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """Give one person's T1 intensities in the template's space; white matter is about 1.

    Tissue means vary from person to person, and grey and white matter grow alike with age; a
    texture of some percent makes tissue less even than an average is. Where people have a `trait`
    (116,) of their regions (`uptake.Healthy`), more grey matter is darker, as cortex with less
    myelin is thicker and darker (Glasser and Van Essen 2011): a warp to a template takes volume
    away, and not the signal.
    """
    grey = rng.normal(0.66, GREY_SD) + 0.001 * (age - 75)
    fluid = rng.normal(0.24, 0.015)
    means = np.array([grey, 1.0, fluid], np.float32)
    total = template.tissue.sum(axis=0)
    image = np.einsum("t,t...->...", means, template.tissue)
    if trait is not None:
        darker = np.concatenate([[0.0], -GREY_SD * trait]).astype(np.float32)
        image += darker[template.region] * template.tissue[0]
    outside = 1.1 * template.t1 / np.float32(WHITE)
    image += np.maximum(1 - total, 0) * outside
    for width in (1.0, 4.0):  # mm of smoothing; rms of one percent each
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        unit = np.float32((2 * np.sqrt(np.pi) * width) ** 1.5)
        image *= 1 + np.float32(0.01) * unit * gaussian_filter(noise, width, truncate=3)
    return image


def sample(
    volumes: list[NDArray[np.float32]],
    template: Template,
    deformation: Deformation,
    pose: NDArray[np.float64],
    shape: tuple[int, ...],
    affine: NDArray[np.float64],
    whole: int = 1,
) -> list[NDArray[np.float32]]:
    """Pull template volumes to a scan's grid by linear interpolation.

    The first `whole` may fill the head; the others are read in and near the brain only.
    Outside the template the edge fades: quickly to the sides, slowly below, where the neck goes
    on and the coil loses it.
    """
    head_from_voxel = np.linalg.inv(pose) @ affine
    out = [np.zeros(int(np.prod(shape)), np.float32) for _ in volumes]
    limit = np.array(template.t1.shape, float) - 1
    for start in range(0, out[0].size, CHUNK):
        index = np.arange(start, min(start + CHUNK, out[0].size))
        voxels = np.stack(np.unravel_index(index, shape), axis=-1)
        points = deformation.to_template(apply(head_from_voxel, voxels))
        where = (points - template.affine[:3, 3]).T
        below = np.maximum(-where[2], 0)
        aside = np.maximum(np.maximum(-where, where - limit[:, None]), 0)
        aside[2] -= below
        fade = np.exp(-0.5 * ((aside / 4.0) ** 2).sum(axis=0) - 0.5 * (below / 28.0) ** 2)
        kept = np.flatnonzero(fade >= 1e-3)
        spots, shades = np.clip(where[:, kept], 0, limit[:, None]), fade[kept]
        near = template.region[tuple(np.rint(spots).astype(int))] > 0
        for number, (volume, target) in enumerate(zip(volumes, out, strict=True)):
            if number == whole:  # from here on volumes are zero away from the brain
                kept, spots, shades = kept[near], spots[:, near], shades[near]
            target[index[kept]] = shades * map_coordinates(volume, spots, order=1)
    return [volume.reshape(shape) for volume in out]


def bias_field(
    rng: np.random.Generator, shape: tuple[int, ...], strength: float = BIAS
) -> NDArray[np.float32]:
    """Smooth receive-coil shading around 1, at most `strength` up or down: low cosines."""
    field = np.zeros(shape, np.float32)
    axes = [np.linspace(0, 1, n, dtype=np.float32) for n in shape]
    for order in np.ndindex(3, 3, 3):
        if not 0 < sum(order) <= 3:
            continue
        x, y, z = (np.cos(np.pi * k * axis) for k, axis in zip(order, axes, strict=True))
        weight = np.float32(rng.normal() / sum(order))
        field += weight * x[:, None, None] * y[None, :, None] * z[None, None, :]
    return np.exp(field * np.float32(np.log1p(strength)) / np.abs(field).max())


def acquire_t1(
    template: Template,
    contrast: NDArray[np.float32],
    deformation: Deformation,
    pose: NDArray[np.float64],
    voxel: list[float],
    rng: np.random.Generator,
    noise: Sequence[float] = NOISE,
    bias: float = BIAS,
) -> tuple[Scan, Labels]:
    """Scan the head: returns the int16 T1 and what truly stands in each of its voxels.

    Parameters
    ----------
    contrast
        What `t1_contrast` returned.
    pose
        4x4, head world to scanner world.
    voxel
        Voxel size in mm along left-right, front-back, up-down.
    noise
        From and to: range of the noise's standard deviation; white matter is about 1.
    bias
        Of the coil's shading, at most.
    """
    centre = field_centre(pose, MRI_CENTRE, rng)
    shape, affine = scan_grid(SAGITTAL, MRI_FIELD, np.array(voxel, float), centre)
    arguments = template, deformation, pose, shape, affine
    signal, brain, *tissue = sample([contrast, template.brain, *template.tissue], *arguments)
    signal *= bias_field(rng, shape, bias)
    image = magnitude(signal, noise, rng)
    scan = Scan(stored(image, rng.uniform(350, 900)), affine)
    return scan, Labels((brain > 0.5).astype(np.uint8), likeliest(tissue))


def magnitude(
    signal: NDArray[np.float32], noise: Sequence[float], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Add Rician noise, of a standard deviation drawn from a range; white matter is about 1."""
    sd = np.float32(rng.uniform(*noise))
    real = signal + sd * rng.standard_normal(signal.shape, dtype=np.float32)
    other = sd * rng.standard_normal(signal.shape, dtype=np.float32)
    return np.hypot(real, other)


def stored(image: NDArray[np.float32], gain: float) -> NDArray[np.int16]:
    """Return the numbers that a scanner stores of an image."""
    return np.clip(np.rint(np.float32(gain) * image), 0, 32767).astype(np.int16)


def likeliest(tissue: list[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """Return the tissue that fills most of each voxel: 0 none, then 1, 2, ... as they are given."""
    background = np.maximum(1 - sum(tissue), 0)
    return np.argmax(np.stack([background, *tissue]), axis=0).astype(np.uint8)
