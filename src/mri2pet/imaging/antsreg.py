"""Registration with ANTs as a function from two volumes to a matrix, the same at every call.

ANTs thinks in LPS coordinates and gives the transform that pulls the moving image: it maps
points of the fixed image to points of the moving one. Everything that leaves this module is in
RAS coordinates and maps points of the moving image to points of the fixed one.
"""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from mri2pet.imaging.volume import Array, Volume, array
from mri2pet.machine_faults import not_the_scans

SEED = 42
UNUSED = ("ants.deeplearn", "ants.learn", "ants.math", "ants.plotting", "pandas")
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # RAS <-> LPS


def deterministic_ants() -> ModuleType:
    """Import ANTs so that two runs give the same bits: one thread, and a seed at every call.

    ITK reads the variable when it starts its first filter, so ANTs is imported nowhere else.
    What it imports and nothing here calls (`UNUSED`) takes 1.5 s of 1.9, which every job that
    starts cold, as those of a cluster do, would spend. Empty modules stand in for it meanwhile.
    """
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"
    spare = [] if "ants" in sys.modules else [name for name in UNUSED if name not in sys.modules]
    sys.modules.update({name: ModuleType(name) for name in spare})
    try:
        import ants
    finally:
        for name in spare:
            del sys.modules[name]
    return ants


def flip_lps_ras(matrix: Array) -> Array:
    """Turn a 4x4 transform of points from LPS to RAS or back (it is its own inverse)."""
    return FLIP @ matrix @ FLIP


def itk_to_matrix(parameters: Array, centre: Array) -> Array:
    """Build the 4x4 matrix (LPS) of an ITK matrix-offset transform.

    Parameters
    ----------
    parameters
        (12,): nine of the matrix A row by row, three of the translation t.
    centre
        (3,): the fixed parameters c; the transform is x -> A (x - c) + c + t.
    """
    parameters, centre = np.asarray(parameters, float), np.asarray(centre, float)
    matrix = np.eye(4)
    matrix[:3, :3] = parameters[:9].reshape(3, 3)
    matrix[:3, 3] = parameters[9:] + centre - matrix[:3, :3] @ centre
    return matrix


def to_ants(image: Volume) -> Any:
    """Give a volume to ANTs, with its place in the world.

    A shear of the affine is kept in memory; ITK loses it when it writes NIfTI.
    """
    ants = deterministic_ants()
    affine = FLIP @ image.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    return ants.from_numpy(
        np.ascontiguousarray(array(image), dtype=np.float32),
        origin=affine[:3, 3].tolist(),
        spacing=spacing.tolist(),
        direction=affine[:3, :3] / spacing,
    )


@dataclass(frozen=True)
class Schedule:
    """Levels of a registration, coarse to fine: iterations, shrink factors, smoothing (voxels)."""

    iterations: tuple[int, ...]
    shrink: tuple[int, ...]
    smooth: tuple[int, ...]
    sampling: float = 0.25  # share of voxels the metric is measured on


def linear(
    fixed: Volume,
    moving: Volume,
    kind: str,
    start: Array,
    schedule: Schedule,
    mask: Volume | None = None,
) -> Array:
    """Register linearly by mutual information.

    Parameters
    ----------
    fixed, moving
        The volumes; the metric is measured on the grid of `fixed`.
    kind
        `Rigid` or `Affine`.
    start
        4x4, RAS, points of `moving` to points of `fixed`: where to begin.
    schedule
        Levels.
    mask
        On the grid of `fixed`: where the metric is measured.

    Returns
    -------
    Array
        4x4, RAS, points of `moving` to points of `fixed`.
    """
    ants = deterministic_ants()
    with tempfile.TemporaryDirectory() as folder, not_the_scans(folder):
        result = ants.registration(
            to_ants(fixed),
            to_ants(moving),
            type_of_transform=kind,
            initial_transform=_write_start(folder, start),
            outprefix=f"{folder}/result_",
            mask=None if mask is None else to_ants(mask),
            mask_all_stages=True,
            aff_iterations=schedule.iterations,
            aff_shrink_factors=schedule.shrink,
            aff_smoothing_sigmas=schedule.smooth,
            aff_random_sampling_rate=schedule.sampling,
            random_seed=SEED,
            singleprecision=False,
        )
        itk = ants.read_transform(result["fwdtransforms"][0])
    pull = itk_to_matrix(itk.parameters, itk.fixed_parameters)
    return np.linalg.inv(flip_lps_ras(pull))


def _write_start(folder: str, start: Array) -> str:
    """Write a starting transform as ITK wants it: LPS, fixed to moving."""
    ants = deterministic_ants()
    pull = flip_lps_ras(np.linalg.inv(start))
    parameters = np.r_[pull[:3, :3].ravel(), pull[:3, 3]]
    transform = ants.create_ants_transform(
        transform_type="AffineTransform", dimension=3, parameters=parameters.tolist()
    )
    path = Path(folder) / "start.mat"
    ants.write_transform(transform, str(path))
    return str(path)
