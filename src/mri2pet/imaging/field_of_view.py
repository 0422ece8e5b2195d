"""What of the brain a PET scan has measured, and the PET without an edge where that ends.

Not measured is what lies outside of the PET's own voxels, in outer planes of one value, and in
zeros that reach from the outside deep into the brain: there somebody has cut or turned the scan.
A shallow rim of zeros is the mark of a skull-stripped PET, and stays.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mri2pet.imaging.resample import RES64_SHAPE, TRUNCATE, blur_sd, resize
from mri2pet.imaging.volume import Array, Volume, array, crop
from mri2pet.imaging.warp import Warp

DEEP_MM = 10.0  # below the brain's surface: where zeros that come from outside are a cut
SPLINE = 12  # voxels, beyond which a cubic spline forgets what lies there
Box = tuple[slice, ...]


@dataclass(frozen=True)
class FieldOfView:
    """A PET scan and what it has measured.

    Attributes
    ----------
    pet
        The scan itself where it reaches beyond all of the brain; otherwise cut to what is measured
        and continued by the nearest measured value, so that an interpolation near the end of the
        field of view does not take in zeros.
    seen
        (X, Y, Z) bool on the grid asked for; true outside the brain.
    """

    pet: Volume
    seen: Array

    def share(self, region: Array) -> float:
        """Return the share of a region (X, Y, Z), bool, that is measured; 1 for an empty one."""
        return float(self.seen[region].mean()) if region.any() else 1.0


def field_of_view(
    pet: Volume, to_target: Array, grid: Volume, brain: Array, warp: Warp | None = None
) -> FieldOfView:
    """Find what of the brain a PET scan has measured.

    Parameters
    ----------
    pet
        Native PET, as `load_scan` gives it.
    to_target
        4x4, points of the PET's world to MNI152, before the field.
    grid
        In MNI152; its affine and shape are used.
    brain
        (X, Y, Z) bool on that grid.
    warp
        Displacements after the affine; None for none.

    Returns
    -------
    FieldOfView
        Its `pet` is to be interpolated as the scan itself would be.
    """
    voxels = np.linalg.inv(pet.affine) @ np.linalg.inv(to_target)
    points = grid.affine[:3, :3] @ np.stack(np.nonzero(brain)) + grid.affine[:3, 3:]
    points = points if warp is None else warp.carry(points)
    at = voxels[:3, :3] @ points + voxels[:3, 3:]
    seen = np.ones(grid.shape, bool)
    if not at.size:
        return FieldOfView(pet, seen)
    data = array(pet)
    box = _without_flat_planes(data)
    low, high = (np.array([[getattr(side, end)] for side in box]) for end in ("start", "stop"))
    inside = ((at >= low - 0.5) & (at <= high - 0.5)).all(axis=0)
    zone = _cut_zone(data, at, brain, np.linalg.norm(grid.affine[:3, :3], axis=0))
    cut = np.zeros(len(inside), bool) if zone is None else _nearest(zone, at)
    seen[brain] = inside & ~cut
    if not cut.any() and ((at >= low - 1e-6) & (at <= high - 1 + 1e-6)).all():
        return FieldOfView(pet, seen)
    margin = SPLINE + np.ceil(TRUNCATE * blur_sd(voxels @ grid.affine)).astype(int)
    return FieldOfView(_continued(pet, box, zone, at, margin), seen)


def resize_seen(seen: Volume, shape: tuple[int, ...] = RES64_SHAPE) -> Volume:
    """Resize what is measured as `resample.resize` does: a new voxel is if all of it is."""
    small = resize(seen, shape)
    return Volume((array(small) > 1 - 1e-4).astype(np.uint8), small.affine)


def _without_flat_planes(data: Array) -> Box:
    """Return the box that is left when outer planes of one value are taken off, axis by axis."""
    box = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        varied = np.flatnonzero(data.max(axis=others) > data.min(axis=others))
        box.append(slice(int(varied[0]), int(varied[-1]) + 1))
    return tuple(box)


def _nearest(mask: Array, at: Array) -> Array:
    """Values (n,) of a mask at places (3, n) in its voxels; false outside."""
    places = np.rint(at).astype(int)
    sides = np.array(mask.shape)[:, None]
    within = ((places >= 0) & (places < sides)).all(axis=0)
    found = np.zeros(at.shape[1], bool)
    found[within] = mask[tuple(places[:, within])]
    return found


def _cut_zone(data: Array, at: Array, brain: Array, voxel_mm: Array) -> Array | None:
    """Return the zeros (native, bool) that reach from outside deep into the brain; None for none.

    Voxels beside the zeros are part of them: an interpolation has mixed both there.
    """
    border = np.concatenate([np.take(data, [0, -1], axis).ravel() for axis in range(3)])
    values, counts = np.unique(border, return_counts=True)
    blank = (data == 0) | (
        data == values[counts.argmax()]
    )  # what a cut is filled with, mostly zero
    if not _nearest(blank, at).any():
        return None
    labels, _ = ndimage.label(blank)
    faces = [np.take(labels, [0, -1], axis).ravel() for axis in range(3)]
    outer = np.setdiff1d(np.concatenate(faces), [0])
    zone = np.isin(labels, outer)
    depth = ndimage.distance_transform_edt(brain, voxel_mm)
    hidden = np.zeros(brain.shape, bool)
    hidden[brain] = _nearest(zone, at)
    if not hidden.any() or depth[hidden].max() <= DEEP_MM:
        return None
    parts, _ = ndimage.label(hidden)
    deep = np.isin(parts, np.setdiff1d(parts[depth > DEEP_MM], [0]))
    zone = ndimage.binary_dilation(zone)
    wide = np.zeros(brain.shape, bool)
    wide[brain] = _nearest(zone, at)
    parts, _ = ndimage.label(wide)
    kept = np.isin(parts, np.setdiff1d(parts[deep], [0]))
    return _only(zone, at, kept[brain])


def _only(zone: Array, at: Array, kept: Array) -> Array:
    """Return a zone without the part of it that lies in the brain and is not kept."""
    places = np.rint(at[:, ~kept]).astype(int)
    within = ((places >= 0) & (places < np.array(zone.shape)[:, None])).all(axis=0)
    zone = zone.copy()
    zone[tuple(places[:, within])] = False
    return zone


def _continued(pet: Volume, box: Box, zone: Array | None, at: Array, margin: Array) -> Volume:
    """Cut a PET to what is measured and give every voxel around it the nearest measured value."""
    low = np.floor(at.min(axis=1)).astype(int) - margin
    high = np.ceil(at.max(axis=1)).astype(int) + margin + 1
    first = [int(np.clip(a, s.start, s.stop - 1)) for a, s in zip(low, box, strict=True)]
    last = [int(np.clip(b, s + 1, r.stop)) for b, s, r in zip(high, first, box, strict=True)]
    part = tuple(map(slice, first, last))
    held = crop(pet, part)
    data = array(held)
    if zone is not None and zone[part].any() and not zone[part].all():
        places = ndimage.distance_transform_edt(
            zone[part], np.linalg.norm(pet.affine[:3, :3], axis=0), False, True
        )
        data = data[tuple(places)]
    before = np.clip(np.array(first) - low, 0, None)
    after = np.clip(high - np.array(last), 0, None)
    data = np.pad(data, np.stack([before, after], 1), mode="edge")
    affine = held.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ before
    return Volume(data, affine)
