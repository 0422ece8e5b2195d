"""Lesions of known place and depth, put into the PET of people who have none.

What a detector finds of them is the detection floor of a user's own scanner and controls. The PET
is multiplied on the detector's grid; the edge is as smooth as the PET's resolution makes it, and
nothing changes farther out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from mri2pet.errors import InputError

Array = np.ndarray
FWHM = float(np.sqrt(8 * np.log(2)))  # of a Gaussian, in standard deviations
KEY = "gan_anomaly.detector.injection.lesions"


@dataclass(frozen=True)
class Site:
    """Where a lesion is put.

    Attributes
    ----------
    name
        In the configuration.
    weight
        (X, Y, Z) float32, 0 to 1: how much of the depth each voxel loses.
    mask
        (X, Y, Z) bool: the lesion, where the weight is at least half of its largest.
    """

    name: str
    weight: Array
    mask: Array


def make_site(
    name: str,
    settings: Mapping[str, Any],
    brain: Array,
    atlas: Array,
    regions: Mapping[int, str],
    affine: Array,
    edge_mm: float,
) -> Site:
    """Make the place of one lesion on the detector's grid.

    Parameters
    ----------
    name, settings
        Of the configuration: `centre_mm` and `radius_mm` of a sphere in MNI152, or `regions`, a map
        of AAL's names or their beginnings to the share of the depth that they lose.
    brain
        (X, Y, Z) bool.
    atlas, regions
        (X, Y, Z) int, and the name of each label.
    affine
        4x4, voxel to world mm.
    edge_mm
        FWHM of the Gaussian that the place is smoothed with, and how far beyond it anything
        changes. As in a PET, a place smaller than that loses less than the whole depth.

    Raises
    ------
    InputError
        If a name begins no region, or nothing of the place lies in the brain.
    """
    voxel = np.linalg.norm(affine[:3, :3], axis=0)
    if "regions" in settings:
        share = _of_regions(name, settings["regions"], atlas, regions)
    else:
        index = np.indices(brain.shape).reshape(3, -1).T
        world = index @ affine[:3, :3].T + affine[:3, 3]
        away = np.linalg.norm(world - np.array(settings["centre_mm"]), axis=1)
        share = (away.reshape(brain.shape) <= settings["radius_mm"]).astype(np.float32)
    share = np.where(brain, share, 0)
    if not share.any():
        raise InputError(f"{KEY}.{name}: nothing of it lies in the brain; place it elsewhere")
    smooth = gaussian_filter(share, edge_mm / FWHM / voxel)
    near = distance_transform_edt(share == 0, sampling=voxel) <= edge_mm
    weight = np.where(brain & near, smooth, 0).astype(np.float32)
    return Site(name, weight, weight >= weight.max() / 2)


def make_sites(
    settings: Mapping[str, Any],
    brain: Array,
    atlas: Array,
    regions: Mapping[int, str],
    affine: Array,
) -> list[Site]:
    """Make the places of all lesions of the block `gan_anomaly.detector.injection`."""
    about = brain, atlas, regions, affine, settings["edge_mm"]
    return [make_site(name, each, *about) for name, each in settings["lesions"].items()]


def _of_regions(
    name: str, shares: Mapping[str, float], atlas: Array, regions: Mapping[int, str]
) -> Array:
    """Return the share of the depth of each voxel, by its region."""
    made = np.zeros(atlas.shape, np.float32)
    for begin, share in shares.items():
        labels = [label for label, region in regions.items() if region.startswith(begin)]
        if not labels:
            raise InputError(
                f"{KEY}.{name}.regions.{begin}: no region of AAL begins so; see "
                "resources/atlases/aal.tsv for their names"
            )
        made[np.isin(atlas, labels)] = share
    return made


def inject(pet: Array, site: Site, depths: Sequence[float]) -> Array:
    """Put a lesion of several depths into one PET.

    The brightness of the whole image is not scaled again: what lies outside stays as it is.

    Parameters
    ----------
    pet
        (X, Y, Z), 0 to 1.
    site
        Of `make_site`.
    depths
        Shares of the uptake that are lost where the weight is 1.

    Returns
    -------
    array (depths, X, Y, Z)
        float32.
    """
    return np.stack([pet * (1 - np.float32(depth) * site.weight) for depth in depths])
