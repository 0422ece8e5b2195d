"""N4 bias-field correction."""

import numpy as np
from nibabel.affines import voxel_sizes

from mri2pet.imaging.antsreg import deterministic_ants, to_ants
from mri2pet.imaging.intensity import head_mask
from mri2pet.imaging.resample import isotropic
from mri2pet.imaging.separable import along_axes, linear_matrix
from mri2pet.imaging.volume import Array, Volume, array, like

# Two levels: a third, with knots 50 mm apart, follows anatomy and makes white matter less even.
ITERATIONS = (20, 20)
SPLINE_MM = 200  # between knots at the first level, halved at the next


def n4(image: Volume, shrink: float = 8) -> tuple[Volume, Array]:
    """Correct the bias field of a T1 (Tustison 2010).

    The field is estimated on the head only (a rough mask): air has no signal to be biased. It is
    smooth, so it is fitted on a coarse copy and brought back to the scan's grid by interpolating
    its logarithm.

    Parameters
    ----------
    image
        T1 of the whole head.
    shrink
        The coarse copy's voxels are this many times the scan's mean voxel size.

    Returns
    -------
    corrected, field
        The T1 divided by the field, and the field on the same grid (mean one inside the head).
    """
    ants = deterministic_ants()
    data = np.clip(array(image), 0, None)
    coarse = isotropic(like(image, data), shrink * float(np.mean(voxel_sizes(image.affine))))
    mask = head_mask(array(coarse))
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
