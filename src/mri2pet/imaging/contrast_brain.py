"""Brain and tissues of a T2 or PD, without a T1 (part X8)."""

import numpy as np
from scipy import ndimage

from mri2pet.imaging.register import coarse_affine
from mri2pet.imaging.resample import resample
from mri2pet.imaging.segment import BY_WATER, segment
from mri2pet.imaging.volume import Array, Volume, array, like

SLAB_MM = (-52.0, 70.0)  # of the template: about what the middle slices of a scan show
RIM_MM = 4.0  # taken off the brain: at its edge an affine meets skull


def template_slab(template: Volume) -> Volume:
    """Cut a whole head (RAS) to the slices that a reduced scan shows."""
    low, high = (
        int(np.clip(np.rint((z - template.affine[2, 3]) / template.affine[2, 2]), 0, n))
        for z, n in zip(SLAB_MM, [template.shape[2]] * 2, strict=True)
    )
    affine = template.affine.copy()
    affine[2, 3] += low * affine[2, 2]
    return Volume(array(template)[:, :, low:high], affine)


def brain_of(t2: Volume, template: Volume, mask: Volume) -> Volume:
    """Find the brain in a T2 by an affine registration of the template's T2, whole heads.

    Parameters
    ----------
    t2
        RAS order; standardised or not.
    template, mask
        T2-weighted whole head and brain mask of one template, each on its own grid.

    Returns
    -------
    Volume
        The mask on the grid of `t2`, less a rim of `RIM_MM`: good to compare segmentations
        inside it, not to measure brains.
    """
    head = like(t2, array(t2) - array(t2).min())
    to_scan = coarse_affine(template_slab(template), head)
    size = np.linalg.norm(mask.affine[:3, :3], axis=0)
    inside = ndimage.binary_fill_holes(array(mask) > 0.5)
    core = ndimage.distance_transform_edt(inside, sampling=size) > RIM_MM
    placed = resample(like(mask, core.astype(np.float32)), to_scan, t2.affine, t2.shape, order=1)
    return like(t2, array(placed) > 0.5)


def tissues(volume: Volume, brain: Volume) -> Array:
    """Segment a T2 or PD inside a brain mask: 1 GM, 2 WM, 3 CSF.

    Classes are named by their brightness: white matter is the darkest, fluid the brightest.

    Raises
    ------
    ScanError
        There are not three tissues to be told apart.
    """
    inside = array(brain) > 0
    shifted = np.where(inside, array(volume) - array(volume)[inside].min(), 0)
    return segment(like(volume, shifted.astype(np.float32)), brain, BY_WATER)[1]
