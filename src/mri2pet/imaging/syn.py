"""Nonlinear registration to MNI152: symmetric normalisation (SyN, Avants 2008) from the affine on.

The brain is laid on the template's grid through the affine, coarsely, only to find the field; what
is kept is the field, and the images go through affine and field in one interpolation
(`imaging.warp`).
"""

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mri2pet.errors import ScanError
from mri2pet.imaging.antsreg import SEED, deterministic_ants, to_ants
from mri2pet.imaging.qc import correlation
from mri2pet.imaging.register import MARGIN_MM, template_brain
from mri2pet.imaging.resample import isotropic, resample
from mri2pet.imaging.volume import Array, Volume, array, crop_to_object
from mri2pet.imaging.warp import Warp, load_warp, resample_through
from mri2pet.machine_faults import not_the_scans

log = logging.getLogger(__name__)

METRIC, RADIUS = "CC", 2  # cross-correlation in windows of 5x5x5 voxels
STEP = 0.25  # of the gradient, voxels
UPDATE_SD, TOTAL_SD = 3.0, 0.0  # variances (voxels^2) by which update and whole field are smoothed
MOST_FOLDED = 0.001  # share of the brain whose Jacobian may be zero or less
LARGEST_MM = 30.0  # no brain is so far from the template after the affine
WORST_LOSS = 0.005  # of the correlation with the template
WHITE = 0.7  # the template's white matter is brighter, of 0..1


def syn_to_template(
    brain: Volume,
    template: Volume,
    mask: Volume,
    affine: Array,
    voxel_mm: float,
    iterations: Sequence[int],
) -> tuple[Warp, dict[str, float]]:
    """Register a skull-stripped T1 to the template nonlinearly, from its affine on.

    Parameters
    ----------
    brain
        Skull-stripped, normalised T1 in AC-PC space.
    template, mask
        MNI152NLin6Asym T1 and its brain mask, 2 mm.
    affine
        4x4, points of AC-PC space to points of MNI152.
    voxel_mm
        Voxel of the finest level, and distance of the field's nodes.
    iterations
        Of each level, coarse to fine; each has voxels of half the size of the one before.

    Returns
    -------
    warp
        Field on the template's grid of `voxel_mm`, cropped to its brain.
    measures
        Of `warp_measures`.

    Raises
    ------
    ScanError
        ANTs gives no field, or one that cannot be right.
    """
    fixed = isotropic(crop_to_object(template_brain(template, mask), MARGIN_MM), voxel_mm)
    moving = resample(brain, affine, fixed.affine, fixed.shape, order=1)
    warp = _syn(fixed, moving, iterations)
    measures = warp_measures(warp, fixed, moving)
    log.info("measures of the warp: %s", measures)
    judge_warp(measures)
    return warp, measures


def _syn(fixed: Volume, moving: Volume, iterations: Sequence[int]) -> Warp:
    """Run ANTs' SyN on two volumes of one grid; the field is on that grid, float32."""
    ants = deterministic_ants()
    with tempfile.TemporaryDirectory() as folder, not_the_scans(folder):
        try:
            ants.registration(
                to_ants(fixed),
                to_ants(moving),
                type_of_transform="SyNOnly",
                initial_transform="Identity",
                outprefix=f"{folder}/result_",
                syn_metric=METRIC,
                syn_sampling=RADIUS,
                reg_iterations=tuple(iterations),
                grad_step=STEP,
                flow_sigma=UPDATE_SD,
                total_sigma=TOTAL_SD,
                random_seed=SEED,
                singleprecision=False,
            )
        except RuntimeError as error:
            raise ScanError(f"SyN gave up: {error}") from error
        fields = sorted(Path(folder).glob("result_*[0-9]Warp.nii.gz"))
        if len(fields) != 1:
            raise ScanError("SyN gave no displacement field")
        return Warp(load_warp(fields[0]).displacement, fixed.affine)


def warp_measures(warp: Warp, fixed: Volume, moving: Volume) -> dict[str, float]:
    """Measure a field inside the template's brain.

    Parameters
    ----------
    warp
        Field, its nodes the voxels of `fixed`.
    fixed, moving
        Template (zero outside its brain) and brain, one grid.

    Returns
    -------
    dict
        `affine_correlation` and `correlation` with the template before and after,
        `mean_displacement_mm` and `largest_displacement_mm`, `smallest_jacobian` and
        `folded_fraction`.
    """
    inside = array(fixed) > 0
    length = np.linalg.norm(warp.displacement, axis=0)[inside]
    jacobian = warp.jacobian()[inside]
    after = array(resample_through(moving, np.eye(4), warp, fixed, order=1))
    target = array(fixed)
    return {
        "affine_correlation": round(correlation(array(moving), target, inside), 4),
        "correlation": round(correlation(after, target, inside), 4),
        "mean_displacement_mm": round(float(length.mean()), 3),
        "largest_displacement_mm": round(float(length.max()), 3),
        "smallest_jacobian": round(float(jacobian.min()), 4),
        "folded_fraction": round(float(np.mean(~(jacobian > 0))), 6),
    }


def judge_warp(measures: dict[str, float]) -> None:
    """Refuse a field that cannot be right.

    Raises
    ------
    ScanError
        It is not finite, folds the brain, moves it further than brains differ, or makes it less
        like the template than the affine did.
    """
    if not np.isfinite(list(measures.values())).all():
        raise ScanError("SyN: the displacements are not finite numbers")
    if measures["folded_fraction"] > MOST_FOLDED:
        raise ScanError(f"SyN: {measures['folded_fraction']:.2%} of the brain is folded")
    if measures["largest_displacement_mm"] > LARGEST_MM:
        raise ScanError(f"SyN: moves the brain by {measures['largest_displacement_mm']:.0f} mm")
    before, after = measures["affine_correlation"], measures["correlation"]
    if after < before - WORST_LOSS:
        raise ScanError(
            f"SyN: correlation with the template falls from {before:.3f} to {after:.3f}"
        )
