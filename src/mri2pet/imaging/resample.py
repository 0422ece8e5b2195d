"""One interpolation onto a grid, and the resize to the grid of the networks.

Needs neither ANTs nor torch, so that a job that only resamples starts at once.
"""

import numpy as np
from nibabel.affines import apply_affine
from scipy import ndimage

from mri2pet.imaging.separable import along_axes, blur, blur_matrix, held_box, linear_matrix
from mri2pet.imaging.volume import Array, Volume, array

RES2_SHAPE = (90, 109, 90)
RES64_SHAPE = (64, 64, 64)
RES15_MM = 1.5
TRUNCATE, LEAST_SD = 3.0, 0.1  # of blurs: where they end, in sd, and the least worth while, voxels
# First and last voxel centre of SPM's bounding box at 1 mm, 157x189x136 voxels, MNI world mm
SPM_BOX = ((-78.0, -112.0, -50.0), (78.0, 76.0, 85.0))


def res2_grid(template: Volume) -> Volume:
    """Return the template on the 90x109x90 grid of the GLA-GAN paper.

    The MNI152 2 mm grid has 91x109x91 voxels; the last plane of x (rightmost) and of z (topmost)
    are left out, so that the first voxel, and with it the affine, stays what it is.
    """
    x, y, z = RES2_SHAPE
    return Volume(array(template)[:x, :y, :z], template.affine)


def res15_grid(template: Volume) -> Volume:
    """Return the template (linear) on the 1.5 mm grid of the DUAL-GLOW paper.

    The first and the last voxel centres stay where they are: 91x109x91 voxels of 2 mm become
    121x145x121 of 1.5 mm, the grid of SPM's tissue maps.
    """
    size = np.linalg.norm(template.affine[:3, :3], axis=0)
    shape = np.rint((np.array(template.shape) - 1) * size / RES15_MM).astype(int) + 1
    affine = template.affine @ np.diag([*(RES15_MM / size), 1.0])
    return resample(template, np.eye(4), affine, tuple(shape.tolist()), order=1)


def spm_grid(voxel_mm: float) -> Volume:
    """Return an empty volume of cubes in SPM's bounding box: 157x189x136 voxels at 1 mm.

    The first voxel's centre is the box's corner whatever the size of the voxels; the box does not
    reach the lowest part of the cerebellum.
    """
    low, high = np.array(SPM_BOX)
    shape = np.floor((high - low) / voxel_mm + 1e-6).astype(int) + 1
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = low
    return Volume(np.zeros(shape, np.float32), affine)


def resized_affine(affine: Array, shape: tuple[int, ...], target: tuple[int, ...]) -> Array:
    """Affine of a grid of `target` voxels that covers the same field of view, edge to edge."""
    ratio = np.asarray(shape, float) / np.asarray(target, float)
    step = np.diag([*ratio, 1.0])
    step[:3, 3] = (ratio - 1) / 2
    return affine @ step


def resize(image: Volume, shape: tuple[int, ...] = RES64_SHAPE) -> Volume:
    """Resize to `shape` over the same field of view.

    Each new voxel is the mean of what it covers (area interpolation), which cannot alias, keeps
    the range, and keeps probabilities that sum to one summing to one.

    Parameters
    ----------
    image
        90x109x90 at 2 mm gives 64x64x64 at 2.8125 x 3.40625 x 2.8125 mm.
    shape
        Not larger than the image's.
    """
    data = array(image).astype(np.float64)
    for axis, count in enumerate(shape):
        weights = overlap_weights(data.shape[axis], count)
        data = np.moveaxis(np.tensordot(weights, data, axes=(1, axis)), 0, axis)
    affine = resized_affine(image.affine, image.shape, shape)
    return Volume(data.astype(np.float32), affine)


def overlap_weights(old: int, new: int) -> Array:
    """Return (new, old): the share of each new cell's length that each old cell covers."""
    edges = np.linspace(0, old, new + 1)
    start, stop = edges[:-1, None], edges[1:, None]
    cell = np.arange(old)[None]
    covered = np.clip(np.minimum(stop, cell + 1) - np.maximum(start, cell), 0, None)
    return covered / covered.sum(axis=1, keepdims=True)


def resample(
    image: Volume,
    to_target: Array,
    target_affine: Array,
    target_shape: tuple[int, ...],
    order: int = 3,
) -> Volume:
    """Carry a volume through a transform onto a grid in one interpolation.

    Where the target's voxels are larger than the image's, the image is first smoothed by a
    Gaussian whose width makes up the difference (Cardoso 2015, "Scale factor point spread
    function matching"), so that detail finer than the new grid does not alias.

    Parameters
    ----------
    image
        Source; its world is where `to_target` starts.
    to_target
        4x4, points of the image's world to points of the target's world, mm.
    target_affine, target_shape
        The target grid.
    order
        0 nearest (labels), 1 linear, 3 cubic B-spline; the result is clipped to the source's range.

    Returns
    -------
    Volume
        float32 on the target grid, zero outside the source's field of view.
    """
    voxels = np.linalg.inv(image.affine) @ np.linalg.inv(to_target) @ target_affine
    data = array(image)
    low, high = float(data.min()), float(data.max())
    corners = np.indices((2, 2, 2)).reshape(3, -1).T * (np.array(target_shape) - 1)
    data, first = needed_part(data, voxels, order, apply_affine(voxels, corners))
    if order:
        data = without_finer_detail(data, voxels)
    result = ndimage.affine_transform(
        data,
        voxels[:3, :3],
        voxels[:3, 3] - first,
        output_shape=tuple(target_shape),
        order=order,
        mode="constant",
        cval=0.0,
    )
    return Volume(np.clip(result, min(low, 0.0), max(high, 0.0)).astype(np.float32), target_affine)


def needed_part(data: Array, voxels: Array, order: int, seen: Array) -> tuple[Array, Array]:
    """Cut out of a volume what an interpolation needs: a head is mostly air, a brain is smaller.

    Parameters
    ----------
    data
        Source.
    voxels
        4x4, as for `without_finer_detail`.
    order
        Of the interpolation; the cubic spline of a part is that of the whole up to a millionth.
    seen
        (n, 3) places, in voxels of `data`, whose box holds all that is looked at.

    Returns
    -------
    part, first
        float32, the box of what is seen and not zero, with a margin; and its first voxel (3,).
    """
    margin = np.ceil(TRUNCATE * blur_sd(voxels)).astype(int) + (12 if order > 1 else 2)
    box = []
    for axis, held in enumerate(held_box(data)):
        size, ends = data.shape[axis], (held.start, max(held.stop - 1, held.start))
        low = max(ends[0], np.floor(seen[:, axis].min()))
        high = min(ends[1], np.ceil(seen[:, axis].max()))
        start = int(np.clip(low - margin[axis], 0, size - 1))
        box.append(slice(start, int(np.clip(high + margin[axis] + 1, start + 1, size))))
    return data[tuple(box)].astype(np.float32), np.array([side.start for side in box])


def blur_sd(voxels: Array) -> Array:
    """Sd (3,), in source voxels, of the blur that makes up the difference to the target's voxels.

    `voxels` maps indices of the target to those of the source.
    """
    footprint = np.linalg.norm(voxels[:3, :3], axis=1)  # a target voxel in source voxels
    return np.sqrt(np.clip(footprint**2 - 1, 0, None)) / 2.355


def without_finer_detail(data: Array, voxels: Array) -> Array:
    """Smooth what is finer than the target grid; `voxels` maps its indices to those of `data`."""
    sigma = blur_sd(voxels)
    return blur(data, sigma, TRUNCATE, "constant") if sigma.max() > LEAST_SD else data


def isotropic(image: Volume, voxel_mm: float) -> Volume:
    """Resample (linear) to cubes of `voxel_mm` along the image's own axes, same field of view.

    As `resample`, blur and interpolation in one step: the axes stay what they are.
    """
    size = np.linalg.norm(image.affine[:3, :3], axis=0)
    shape = np.maximum(np.ceil(size * image.shape / voxel_mm - 1e-3).astype(int), 1)
    step = np.diag([*(voxel_mm / size), 1.0])
    step[:3, 3] = (voxel_mm / size - 1) / 2
    sigma = blur_sd(step)
    matrices = []
    for axis, (old, new) in enumerate(zip(image.shape, shape, strict=True)):
        matrix = linear_matrix(step[axis, axis] * np.arange(new) + step[axis, 3], old)
        if sigma.max() > LEAST_SD:
            matrix = matrix @ blur_matrix(old, float(sigma[axis]), TRUNCATE)
        matrices.append(matrix)
    data = array(image)
    result = along_axes(data, matrices)
    bounds = min(float(data.min()), 0.0), max(float(data.max()), 0.0)
    return Volume(np.clip(result, *bounds), image.affine @ step)


def resample_brain(
    brain: Volume, mask: Volume, to_template: Array, grid: Volume
) -> tuple[Volume, Volume]:
    """Carry a normalised brain (0..1) and its mask onto the template's grid.

    Each is interpolated once: the brain by cubic B-splines, the mask linearly and cut at one half.
    The brain is zero outside the mask.
    """
    data = array(resample(brain, to_template, grid.affine, grid.shape))
    inside = array(resample(mask, to_template, grid.affine, grid.shape, order=1)) > 0.5
    placed = np.where(inside, np.clip(data, 0, 1), 0).astype(np.float32)
    return Volume(placed, grid.affine), Volume(inside.astype(np.uint8), grid.affine)


def on_grid(labels: Volume, grid: Volume) -> Array:
    """Labels of an atlas at the voxel centres of `grid` (nearest neighbour), uint8."""
    placed = array(resample(labels, np.eye(4), grid.affine, grid.shape, order=0))
    return np.rint(placed).astype(np.uint8)
