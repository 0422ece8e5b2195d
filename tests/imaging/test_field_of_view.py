"""A PET that misses a part of the brain: however it was cut off, the same part is not measured."""

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from mri2pet.imaging.field_of_view import field_of_view, resize_seen
from mri2pet.imaging.intensity import scale_uptake
from mri2pet.imaging.resample import resample
from mri2pet.imaging.volume import array, crop, like
from mri2pet.imaging.warp import Warp, resample_through

GRID = nib.Nifti1Image(np.zeros((45, 55, 45), np.float32), np.diag([4.0, 4.0, 4.0, 1.0]))
GRID.affine[:3, 3] = [-88, -108, -88]
PLACES = np.moveaxis(np.indices(GRID.shape), 0, -1) * 4.0 + GRID.affine[:3, 3]
BRAIN = (np.linalg.norm(PLACES / [68, 84, 64], axis=-1)) < 1
LOW = BRAIN & (PLACES[..., 2] < -40)  # stands for the cerebellum
POSE = np.eye(4)
POSE[:3, :3] = Rotation.from_euler("xyz", [4, -3, 6], degrees=True).as_matrix()
POSE[:3, 3] = [3, -5, 2]


def uptake(places):
    """Smooth uptake everywhere, also outside the head, where a real scan has noise."""
    x, y, z = np.moveaxis(places / 60, -1, 0)
    inside = np.linalg.norm(places / [76, 92, 74], axis=-1) < 1
    return np.where(inside, 4000 + 900 * np.sin(2 * x + y) + 700 * np.cos(3 * z), 30)


def scan(voxel=3.0, sides=(72, 80, 72)):
    """A PET in its own pose; the matrix takes its world to the grid's."""
    affine = np.diag([voxel, voxel, voxel, 1.0])
    affine[:3, 3] = -voxel * (np.array(sides) - 1) / 2
    native = np.moveaxis(np.indices(sides), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    data = uptake(native @ POSE[:3, :3].T + POSE[:3, 3]).astype(np.float32)
    data += np.random.default_rng(0).uniform(0.1, 2, sides).astype(np.float32)
    return nib.Nifti1Image(data, affine), native


def by_grid(pet, native, level):
    top = int(np.searchsorted(native[0, 0, :, 2], level))
    return crop(pet, (slice(0, pet.shape[0]), slice(0, pet.shape[1]), slice(0, top)))


def by_zeros(pet, native, level):
    return like(pet, np.where(native[..., 2] < level, array(pet), 0))


def by_one_value(pet, native, level):
    return like(pet, np.where(native[..., 2] < level, array(pet), -1024))


def aslant(value):
    """Cut along a plane that is oblique to the voxels, as a resampled scan is."""

    def cut(pet, native, level):
        height = native @ [0.34, -0.25, 0.9066]
        return like(pet, np.where(height < level, array(pet), value))

    return cut


WAYS = {
    "grid": by_grid,
    "zeros": by_zeros,
    "one value": by_one_value,
    "oblique": aslant(0),
    "oblique, air below zero": aslant(-500),
}


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


def test_half_a_field_of_view_is_seen_as_half(way):
    pet, native = scan()
    field = field_of_view(way(pet, native, 0), POSE, GRID, BRAIN)
    assert 0.42 < field.share(BRAIN) < 0.56
    assert field.seen[~BRAIN].all()
    below, above = (BRAIN & (PLACES[..., 2] * sign > 30) for sign in (-1, 1))
    assert field.seen[below].mean() > 0.97 and field.seen[above].mean() < 0.03


def test_what_is_seen_near_the_cut_is_what_the_whole_scan_shows(way):
    pet, native = scan()
    whole = array(resample(pet, POSE, GRID.affine, GRID.shape))
    field = field_of_view(way(pet, native, 45), POSE, GRID, BRAIN)
    assert 0.9 < field.share(BRAIN) < 0.99
    made = array(resample(field.pet, POSE, GRID.affine, GRID.shape))
    seen = BRAIN & field.seen
    assert np.abs(made - whole)[seen].max() < 0.06 * whole[seen].mean()
    assert abs((made - whole)[seen].mean()) < 0.001 * whole[seen].mean()


def turned(way):
    """The same cut at the scan's lower end."""

    def cut(pet, native, level):
        made = way(nib.Nifti1Image(array(pet)[..., ::-1].copy(), pet.affine), native, level)
        data, affine = array(made)[..., ::-1].copy(), pet.affine.copy()
        affine[2, 3] += 3.0 * (pet.shape[2] - data.shape[2])
        return nib.Nifti1Image(data, affine)

    return cut


def test_a_reference_region_half_outside_keeps_its_mean(way):
    pet, native = scan()
    whole = array(resample(pet, POSE, GRID.affine, GRID.shape))
    bad = turned(way)(pet, native, 54)
    field = field_of_view(bad, POSE, GRID, BRAIN)
    assert 0.25 < field.share(LOW) < 0.8
    seen = BRAIN & field.seen
    made = array(resample(field.pet, POSE, GRID.affine, GRID.shape))
    _, measures = scale_uptake(made, LOW, seen, 2.0)
    expected = np.mean(whole[LOW & seen], dtype=np.float64)
    assert measures["reference_mean"] == pytest.approx(expected, rel=0.01)
    unmasked = np.mean(array(resample(bad, POSE, GRID.affine, GRID.shape))[LOW])
    assert unmasked < 0.85 * expected  # what it was when zeros outside counted


def test_a_whole_scan_is_left_as_it_is():
    pet, _ = scan()
    field = field_of_view(pet, POSE, GRID, BRAIN)
    assert field.pet is pet and field.seen.all() and field.share(BRAIN) == 1
    assert field.share(BRAIN & ~BRAIN) == 1


@pytest.mark.parametrize("rim_mm", [0, 2, 4])
def test_a_skull_stripped_pet_has_a_rim_and_no_cut(rim_mm):
    pet, native = scan()
    there = native @ POSE[:3, :3].T + POSE[:3, 3]
    inside = np.linalg.norm(there / ([68 - rim_mm, 84 - rim_mm, 64 - rim_mm]), axis=-1) < 1
    field = field_of_view(like(pet, array(pet) * inside), POSE, GRID, BRAIN)
    assert field.share(BRAIN) > 0.98
    deep = ndimage.distance_transform_edt(BRAIN, 4.0) > 10
    assert field.seen[deep].all()


def test_zeros_within_the_brain_are_measured():
    pet, native = scan()
    hole = np.linalg.norm(native, axis=-1) < 15
    field = field_of_view(like(pet, np.where(hole, 0, array(pet))), POSE, GRID, BRAIN)
    assert field.seen.all()


def test_a_warp_moves_what_is_seen():
    pet, native = scan()
    nodes = np.diag([40.0, 40.0, 40.0, 1.0])
    nodes[:3, 3] = -120
    shift = np.zeros((3, 7, 7, 7), np.float32)
    shift[2] = 20
    warp = Warp(shift, nodes)
    cut = by_grid(pet, native, 30)
    plain, moved = (field_of_view(cut, POSE, GRID, BRAIN, w) for w in (None, warp))
    assert moved.share(BRAIN) < plain.share(BRAIN) - 0.1
    seen = BRAIN & moved.seen
    made = array(resample_through(moved.pet, POSE, warp, GRID, where=BRAIN))
    whole = array(resample_through(pet, POSE, warp, GRID, where=BRAIN))
    assert np.abs(made - whole)[seen].mean() < 0.005 * whole[seen].mean()


def test_a_large_voxel_is_seen_where_all_of_it_is():
    seen = np.ones((8, 8, 8), bool)
    seen[0, 0, 0] = False
    small = array(resize_seen(like(GRID, seen), (4, 4, 4)))
    assert small.dtype == np.uint8 and small.sum() == 63 and not small[0, 0, 0]
    assert array(resize_seen(like(GRID, seen | True), (3, 3, 3))).all()
