"""Displacement fields: which way they move, in what order with the affine, and ANTs' reading."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine

from mri2pet.errors import InputError
from mri2pet.imaging.antsreg import _write_start, deterministic_ants, to_ants
from mri2pet.imaging.intensity import divide_uptake, scale_uptake
from mri2pet.imaging.resample import res15_grid, resample
from mri2pet.imaging.volume import array, centre_of_mass, save_volume
from mri2pet.imaging.warp import (
    Warp,
    load_warp,
    resample_brain_through,
    resample_through,
    save_warp,
)

NODES = np.array([[5.0, 0, 0, -100], [0, 5, 0, -140], [0, 0, 5, -90], [0, 0, 0, 1]])
NODE_SHAPE = (41, 47, 41)
GRID = np.array([[3.0, 0, 0, -90], [0, 3, 0, -126], [0, 0, 3, -72], [0, 0, 0, 1]])
GRID_SHAPE = (61, 73, 61)


def blob(centre, shape=GRID_SHAPE, affine=GRID, width=8.0):
    points = apply_affine(affine, np.indices(shape).reshape(3, -1).T)
    data = np.exp(-(((points - centre) / width) ** 2).sum(axis=1) / 2).reshape(shape)
    return nib.Nifti1Image(data.astype(np.float32), affine)


@pytest.fixture
def grid():
    return nib.Nifti1Image(np.zeros(GRID_SHAPE, np.float32), GRID)


def field(displacement=(0.0, 0.0, 0.0)):
    """The same displacement everywhere."""
    data = np.broadcast_to(np.reshape(displacement, (3, 1, 1, 1)), (3, *NODE_SHAPE))
    return Warp(data.astype(np.float32), NODES)


def smooth_field(seed=0, mm=5.0):
    """Wavy displacements, zero at the edge."""
    rng = np.random.default_rng(seed)
    index = np.indices(NODE_SHAPE) / np.array(NODE_SHAPE)[:, None, None, None]
    window = np.prod(np.sin(np.pi * index), axis=0)
    waves = [np.sin(2 * np.pi * (np.tensordot(rng.uniform(-2, 2, 3), index, 1))) for _ in range(3)]
    return Warp((mm * window * np.stack(waves)).astype(np.float32), NODES)


def turned(degrees=15.0, scale=(1.1, 0.9, 1.2), shift=(5.0, -7.0, 3.0)):
    angle = np.radians(degrees)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:3, :3] = matrix[:3, :3] @ np.diag(scale)
    matrix[:3, 3] = shift
    return matrix


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("voxel", [2.5, 1.5])  # of the source: like the grid's, and much finer
def test_a_field_of_zeros_is_the_affine_alone(grid, order, voxel):
    affine = np.diag([voxel, voxel, voxel, 1.0])
    affine[:3, 3] = [-40, -60, -30]
    source = blob([10, -20, 15], (50, 50, 50), affine)
    plain = array(resample(source, turned(), grid.affine, grid.shape, order=order))
    through = array(resample_through(source, turned(), field(), grid, order=order))
    np.testing.assert_allclose(through, plain, atol=1e-5)
    assert plain.max() > 0.8


def test_only_the_chosen_voxels_are_computed(grid):
    where = np.zeros(grid.shape, bool)
    where[20:40] = True
    full = array(resample_through(blob([0, -20, 15]), np.eye(4), smooth_field(), grid))
    part = array(resample_through(blob([0, -20, 15]), np.eye(4), smooth_field(), grid, where=where))
    np.testing.assert_array_equal(part, np.where(where, full, 0))


def test_a_displacement_fetches_what_lies_there(grid):
    moved = resample_through(blob([10, -20, 15]), np.eye(4), field([6, 0, 0]), grid)
    np.testing.assert_allclose(centre_of_mass(moved), [4, -20, 15], atol=0.02)


def test_the_field_acts_in_template_space_after_the_affine(grid):
    centre, displacement = np.array([20.0, -30, 10]), np.array([8.0, -4, 6])
    moved = resample_through(blob(centre), turned(90, (1.3, 1, 1)), field(displacement), grid)
    expected = apply_affine(turned(90, (1.3, 1, 1)), centre) - displacement
    np.testing.assert_allclose(centre_of_mass(moved), expected, atol=0.1)


def test_rigid_and_affine_are_one_matrix_before_the_field(grid):
    rigid, affine = turned(10, (1, 1, 1)), turned(-5, shift=(0, 4, 2))
    centre = np.array([12.0, -20, 9])
    moved = resample_through(blob(centre), affine @ rigid, field([0, 5, 0]), grid)
    expected = apply_affine(affine, apply_affine(rigid, centre)) - [0, 5, 0]
    np.testing.assert_allclose(centre_of_mass(moved), expected, atol=0.1)


@pytest.mark.parametrize("codes", ["RAS", "LAS", "PSR", "IRP"])
def test_sides_are_kept(grid, codes, tmp_path):
    right = blob([40, -20, 15], width=5.0)
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(GRID), nib.orientations.axcodes2ornt(codes)
    )
    save_warp(tmp_path / "field.nii.gz", field([3, 2, -4]))
    warp = load_warp(tmp_path / "field.nii.gz")
    placed = resample_through(right.as_reoriented(turn), np.eye(4), warp, grid, order=1)
    np.testing.assert_allclose(centre_of_mass(placed), [37, -22, 19], atol=0.05)


def test_ants_reads_the_file_as_it_is_meant(grid, tmp_path):
    ants = deterministic_ants()
    source, warp = blob([15, -35, 20], width=12.0), smooth_field()
    save_warp(tmp_path / "field.nii.gz", warp)
    transforms = [str(tmp_path / "field.nii.gz"), _write_start(str(tmp_path), turned())]
    theirs = ants.apply_transforms(to_ants(grid), to_ants(source), transforms, "linear").numpy()
    ours = array(resample_through(source, turned(), load_warp(transforms[0]), grid, order=1))
    inside = np.s_[5:-5, 5:-5, 5:-5]
    assert np.abs(ours - array(resample(source, turned(), GRID, grid.shape, order=1))).max() > 0.2
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=2e-4)


def test_a_file_gives_the_field_back_and_the_same_bytes(tmp_path):
    warp = smooth_field()
    for name in ("one.nii.gz", "two.nii.gz"):
        save_warp(tmp_path / name, warp)
    assert (tmp_path / "one.nii.gz").read_bytes() == (tmp_path / "two.nii.gz").read_bytes()
    back = load_warp(tmp_path / "one.nii.gz")
    np.testing.assert_array_equal(back.displacement, warp.displacement)
    np.testing.assert_allclose(back.affine, warp.affine)
    save_volume(tmp_path / "scan.nii.gz", blob([0, 0, 0]))
    with pytest.raises(InputError, match=r"scan\.nii\.gz: expected a displacement field"):
        load_warp(tmp_path / "scan.nii.gz")


def test_jacobian_by_hand():
    x = apply_affine(NODES, np.indices(NODE_SHAPE).reshape(3, -1).T).T.reshape(3, *NODE_SHAPE)
    stretched = Warp((x * np.array([0.1, 0, -0.2])[:, None, None, None]).astype(np.float32), NODES)
    np.testing.assert_allclose(stretched.jacobian(), 1.1 * 0.8, atol=1e-4)
    assert (Warp(-1.5 * x.astype(np.float32), NODES).jacobian() < 0).all()  # turned inside out


def test_the_paper_s_grid_has_the_template_s_first_and_last_voxels(atlases):
    template = nib.load(atlases / "mni152_brain_mask.nii.gz")
    fine = res15_grid(nib.as_closest_canonical(template))
    assert fine.shape == (121, 145, 121)
    for old, new in zip([(0, 0, 0), (90, 108, 90)], [(0, 0, 0), (120, 144, 120)], strict=True):
        canonical = nib.as_closest_canonical(template).affine
        np.testing.assert_allclose(apply_affine(canonical, old), apply_affine(fine.affine, new))


def test_the_brain_is_zero_outside_its_mask(grid):
    brain = blob([0, -20, 10], width=30.0)
    mask = nib.Nifti1Image((array(brain) > 0.3).astype(np.uint8), GRID)
    placed = array(resample_brain_through(brain, mask, np.eye(4), field([3, 0, 0]), grid))
    expected = np.where(array(mask), array(brain), 0)[6:-4]  # one voxel to the left
    np.testing.assert_allclose(placed[5:-5], expected, atol=1e-5)


def test_pet_has_the_linear_space_s_scale(grid):
    pet = blob([0, -20, 10], width=30.0)
    brain = array(pet) > 0.1
    linear, measures = scale_uptake(array(pet), array(pet) > 0.8, brain, 2.0)
    again, clipped = divide_uptake(array(pet), measures["reference_mean"], brain, 2.0)
    np.testing.assert_array_equal(again, linear)
    assert clipped == measures["clipped_fraction"]
