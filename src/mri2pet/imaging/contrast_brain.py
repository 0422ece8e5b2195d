"""Brain and tissues of a T2 or PD, without a T1 (part X8)."""

import numpy as np
from nibabel.affines import voxel_sizes
from scipy import ndimage

from mri2pet.errors import ScanError
from mri2pet.imaging.bias import n4
from mri2pet.imaging.register import coarse_affine
from mri2pet.imaging.resample import resample
from mri2pet.imaging.segment import classes
from mri2pet.imaging.volume import Array, Volume, array, like

SLAB_MM = (-52.0, 70.0)  # of the template: about what the middle slices of a scan show
BIAS_MM = 9.0  # voxel on which the coil's shading is estimated
ORDER = {"t2": (2, 1, 3), "pd": (2, 1, 1)}  # labels from dark to bright
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


def tissues(volume: Volume, brain: Volume, contrast: str) -> Array:
    """Segment a T2 or PD inside a brain mask: 1 GM, 2 WM, 3 CSF; in a PD, 1 is GM and CSF.

    After N4 (coil shading is as strong as the contrast of a PD), three classes by k-means and a
    Markov field (Atropos), named by their brightness: white matter is the darkest, fluid the
    brightest. In a PD grey matter and fluid are too alike to be told apart, and are taken as one.

    Parameters
    ----------
    volume
        Whole head, in any unit.
    brain
        Mask, of the same grid.
    contrast
        `t2` or `pd`, which `volume` is or stands for.

    Raises
    ------
    ScanError
        There are not so many classes to be told apart.
    """
    inside = array(brain) > 0
    positive = like(volume, array(volume) - array(volume).min())
    even = array(n4(positive, BIAS_MM / float(voxel_sizes(volume.affine).mean()))[0])
    order = ORDER[contrast]
    found = classes(like(volume, np.where(inside, even, 0)), brain, len(order))
    found = np.where(inside, np.clip(found, 0, None), 0).astype(np.float64)
    if (found.sum(axis=(1, 2, 3)) <= 0).any():
        raise ScanError(f"segmentation found fewer than {len(order)} classes")
    means = [float((share * even).sum() / share.sum()) for share in found]
    ranks = np.argsort(np.argsort(means, kind="stable"))
    labels = np.array([order[rank] for rank in ranks], np.uint8)[found.argmax(axis=0)]
    return np.where(inside, labels, 0).astype(np.uint8)
