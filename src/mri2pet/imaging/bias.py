"""N4 bias-field correction."""

import numpy as np
from nibabel.affines import voxel_sizes
from scipy import ndimage

from mri2pet.imaging.antsreg import deterministic_ants, to_ants
from mri2pet.imaging.intensity import head_mask
from mri2pet.imaging.resample import isotropic, resample
from mri2pet.imaging.separable import along_axes, linear_matrix
from mri2pet.imaging.volume import Array, Volume, array, box_of, crop, like

# Two levels: a third, with knots 50 mm apart, follows anatomy and makes white matter less even.
ITERATIONS = (20, 20)
SPLINE_MM = 200  # between knots at the first level, halved at the next
AROUND_MM = 8.0  # of a brain whose place is known to a centimetre


def n4(
    image: Volume, shrink: float = 8, brain: Volume | None = None, to_brain: Array | None = None
) -> tuple[Volume, Array]:
    """Correct the bias field of a T1 (Tustison 2010).

    The field is estimated on the brain and what is near, or on the head where it is not known where
    the brain lies: air has no signal to be biased, and the histogram that N4 sharpens is that of
    the tissues it is shown, of which fat and muscle are of no use. It is smooth, so it is fitted on
    a coarse copy and brought back to the scan's grid by interpolating its logarithm; further out it
    goes on as at the edge of what it was fitted on.

    Parameters
    ----------
    image
        T1 of the whole head.
    shrink
        The coarse copy's voxels are this many times the scan's mean voxel size.
    brain, to_brain
        Brain mask of a template; and 4x4, points of the scan to points of it, right to about a
        centimetre.

    Returns
    -------
    corrected, field
        The T1 divided by the field, and the field on the same grid (mean one where it was fitted).
    """
    ants = deterministic_ants()
    data = np.clip(array(image), 0, None)
    coarse = isotropic(like(image, data), shrink * float(np.mean(voxel_sizes(image.affine))))
    mask = head_mask(array(coarse))
    if brain is not None and to_brain is not None:
        near = mask & _near(brain, to_brain, coarse)
        if near.any():
            box = box_of(like(coarse, near), 0.0)
            coarse, mask = crop(coarse, box), near[box]
    field = ants.n4_bias_field_correction(
        to_ants(coarse),
        mask=to_ants(like(coarse, mask)),
        shrink_factor=1,
        convergence={"iters": list(ITERATIONS), "tol": 1e-6},
        spline_param=SPLINE_MM,
        return_bias_field=True,
    ).numpy()
    logarithm = np.log(np.maximum(field, 1e-3))
    logarithm -= logarithm[mask].mean(dtype=np.float64)
    voxels = np.linalg.inv(coarse.affine) @ image.affine  # both grids have the same axes
    places = [voxels[a, a] * np.arange(n) + voxels[a, 3] for a, n in enumerate(image.shape)]
    sides = zip(places, coarse.shape, strict=True)
    full = np.exp(along_axes(logarithm, [linear_matrix(at, n, nearest=True) for at, n in sides]))
    return like(image, data / full), full


def _near(brain: Volume, to_brain: Array, grid: Volume) -> Array:
    """Voxels of a grid within `AROUND_MM` of a template's brain; bool."""
    steps = max(round(AROUND_MM / float(np.mean(voxel_sizes(brain.affine)))), 1)
    grown = like(brain, ndimage.binary_dilation(array(brain) > 0, iterations=steps))
    placed = resample(grown, np.linalg.inv(to_brain), grid.affine, grid.shape, order=1)
    return array(placed) > 0.5
