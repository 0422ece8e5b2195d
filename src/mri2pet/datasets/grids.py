"""The template's brain mask and the atlas on the grid of a dataset."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mri2pet.errors import InputError

Array = np.ndarray
SUBSAMPLES = 4  # along each axis of a target voxel, for masks and labels


def template_mask(image: Any, affine: Array, shape: tuple[int, int, int]) -> Array:
    """Resample a brain mask, its holes filled: a voxel is in if at least half of it is.

    The mask of MNI152NLin6Asym has holes at the ventricles. They are inside the brain, and what
    the masked metrics and losses measure must not leave them out.

    Returns
    -------
    array (X, Y, Z) of bool
    """
    votes = np.zeros(shape, dtype=np.uint16)
    from scipy.ndimage import binary_fill_holes

    data = binary_fill_holes(np.asanyarray(image.dataobj) > 0.5)
    for sample in _subsamples(data, image.affine, affine, shape):
        votes += sample
    mask = 2 * votes.astype(np.int64) >= SUBSAMPLES**3
    if not mask.any():
        raise InputError("the template's brain mask does not overlap the volumes")
    return mask


def resample_labels(
    image: Any,
    affine: Array,
    shape: tuple[int, int, int],
    names: Mapping[int, str],
    complete: bool = True,
) -> Array:
    """Resample a label image by majority over each target voxel.

    A voxel is background if more than half of it is; else it takes the label that fills most of it
    (of labels that fill it equally, the smallest). Unlike the nearest neighbour, this does not lose
    thin regions between sampling points.

    Parameters
    ----------
    image
        Label image (nibabel).
    affine, shape
        Target grid.
    names
        Name of each label.
    complete
        Whether every one must survive: not where the field of view cuts some off.

    Returns
    -------
    array (X, Y, Z) of uint8

    Raises
    ------
    InputError
        A label is lost, and none may be.
    """
    source = np.rint(np.asanyarray(image.dataobj)).astype(np.int64)
    codes = np.array([0, *sorted(names)])
    if not np.isin(source, codes).all():
        raise InputError(f"the atlas holds labels without a name: {set(np.unique(source))}")
    positions = np.searchsorted(codes, source).astype(np.uint8)
    flat = np.arange(int(np.prod(shape)))
    votes = np.zeros((len(codes), flat.size), dtype=np.uint8)
    for sample in _subsamples(positions, image.affine, affine, shape):
        votes[sample.ravel(), flat] += 1
    labels = codes[1 + votes[1:].argmax(axis=0)]
    labels[2 * votes[0].astype(np.int64) > SUBSAMPLES**3] = 0
    lost = [f"{code} ({names[code]})" for code in sorted(set(names) - set(labels.tolist()))]
    if lost and complete:
        raise InputError(
            f"{len(lost)} of {len(names)} atlas regions are lost on the grid {shape}: "
            f"{', '.join(lost[:5])}: the volumes are too coarse or do not overlap the atlas"
        )
    return labels.reshape(shape).astype(np.uint8)


def _subsamples(
    source: Array, source_affine: Array, affine: Array, shape: tuple[int, int, int]
) -> Iterable[Array]:
    """Yield `source` at SUBSAMPLES^3 points spread evenly over each target voxel (nearest)."""
    to_source = np.linalg.inv(source_affine) @ affine
    grid = np.indices(shape, dtype=np.float64).reshape(3, -1)
    steps = (np.arange(SUBSAMPLES) + 0.5) / SUBSAMPLES - 0.5
    limits = np.array(source.shape)[:, None] - 1
    for offset in np.array(np.meshgrid(steps, steps, steps)).reshape(3, -1).T:
        voxel = to_source[:3, :3] @ (grid + offset[:, None]) + to_source[:3, 3:]
        voxel = np.floor(voxel + 0.5).astype(np.intp)
        inside = ((voxel >= 0) & (voxel <= limits)).all(axis=0)
        voxel = np.clip(voxel, 0, limits)
        yield np.where(inside, source[tuple(voxel)], 0).astype(source.dtype).reshape(shape)
