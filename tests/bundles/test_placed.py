"""A PET made in MNI152 lies on the T1 where the transforms put it, and left stays left."""

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from mri2pet.bundles.placed import inverted, on_t1
from mri2pet.imaging.volume import Volume, array
from mri2pet.imaging.warp import Warp

MNI = np.array([[2.8, 0, 0, -89.0], [0, 3.4, 0, -125.0], [0, 0, 2.8, -71.0], [0, 0, 0, 1.0]])
# A lopsided head: two blobs on the left of MNI152 and one on the right; places and widths in mm.
SPOTS = {"left front": ((-45.0, 30.0, 10.0), 9.0), "left back": ((-35.0, -60.0, 20.0), 6.0)}
SPOTS |= {"right": ((40.0, -10.0, 40.0), 7.0)}


def rotation(degrees: float, axis: int) -> np.ndarray:
    turn, (a, b) = np.radians(degrees), [each for each in range(3) if each != axis]
    matrix = np.eye(4)
    matrix[a, a] = matrix[b, b] = np.cos(turn)
    matrix[a, b], matrix[b, a] = -np.sin(turn), np.sin(turn)
    return matrix


def affine() -> np.ndarray:
    """Points of the T1's world to MNI152: turned, stretched, shifted."""
    matrix = rotation(12, 0) @ rotation(-7, 2) @ np.diag([1.08, 0.94, 1.03, 1.0])
    matrix[:3, 3] = [6.0, -11.0, 4.0]
    return matrix


def field() -> Warp:
    """A smooth field of up to some mm, as SyN finds it."""
    nodes = np.indices((48, 57, 48)).reshape(3, -1)
    grid = np.diag([4.0, 4.0, 4.0, 1.0])
    grid[:3, 3] = [-92.0, -130.0, -74.0]
    x, y, z = grid[:3, :3] @ nodes + grid[:3, 3:]
    shift = [4 * np.sin(y / 40), 3 * np.cos(x / 35 + z / 50), 3.5 * np.sin(x / 45 - y / 60)]
    return Warp(np.array(shift, np.float32).reshape(3, 48, 57, 48), grid)


def spot(name: str) -> Volume:
    place, size = SPOTS[name]
    voxels = np.indices((64, 64, 64)).reshape(3, -1)
    points = MNI[:3, :3] @ voxels + MNI[:3, 3:]
    apart = ((points - np.array(place)[:, None]) ** 2).sum(axis=0)
    return Volume(np.exp(-apart / (2 * size**2)).reshape(64, 64, 64).astype(np.float32), MNI)


def centre(image: Volume) -> np.ndarray:
    """World point of the centre of what is brighter than half of the brightest."""
    data = array(image)
    held = np.argwhere(data > data.max() / 2)
    weights = data[tuple(held.T)]
    return nib.affines.apply_affine(image.affine, (held * weights[:, None]).sum(0) / weights.sum())


def grids():
    """T1 grids in several orders of their axes, one of them oblique."""
    plain = np.diag([2.5, 2.5, 2.5, 1.0])
    plain[:3, 3] = [-105.0, -125.0, -105.0]
    sagittal = np.eye(4)[[2, 0, 1, 3]] * [[-2.5], [2.5], [-2.5], [1.0]]
    sagittal[:3, 3] = [105.0, -125.0, 105.0]
    flipped = plain @ np.diag([-1.0, 1, 1, 1])
    flipped[:3, 3] = [105.0, -125.0, -105.0]
    return {
        "RAS": (plain, (84, 96, 84)),
        "LAS": (flipped, (84, 96, 84)),
        "sagittal": (sagittal, (96, 84, 84)),
        "oblique": (rotation(10, 1) @ plain, (84, 96, 84)),
    }


@pytest.mark.parametrize("order", list(grids()))
@pytest.mark.parametrize("name", list(SPOTS))
def test_through_an_affine(name, order):
    grid, shape = grids()[order]
    (back,) = on_t1([spot(name)], affine(), None, grid, shape)
    assert back.shape == shape
    np.testing.assert_allclose(back.affine, grid, atol=1e-9)
    wanted = np.linalg.inv(affine()) @ [*SPOTS[name][0], 1.0]
    assert np.abs(centre(back) - wanted[:3]).max() < 0.25


@pytest.mark.parametrize("order", ["LAS", "sagittal"])
@pytest.mark.parametrize("name", list(SPOTS))
def test_through_a_field_as_well(name, order):
    """The MRI's value at x of MNI152 stands at inverse(A) (x + d(x)): so does the PET's."""
    grid, shape = grids()[order]
    warp = field()
    (back,) = on_t1([spot(name)], affine(), warp, grid, shape)
    moved = warp.carry(np.array(SPOTS[name][0])[:, None])
    wanted = np.linalg.inv(affine()) @ [*moved[:, 0], 1.0]
    assert np.linalg.norm(moved[:, 0] - SPOTS[name][0]) > 1.5, "the field must do something"
    assert np.abs(centre(back) - wanted[:3]).max() < 0.5


def test_left_stays_left():
    """What is on the left of the brain lies on the left of the T1, in its world and its voxels."""
    grid, shape = grids()["LAS"]
    for name, back in zip(
        SPOTS, on_t1(list(map(spot, SPOTS)), affine(), field(), grid, shape), strict=True
    ):
        assert (centre(back)[0] < 0) == ("left" in name)
        column = ndimage.center_of_mass(array(back))[0]
        assert (column > shape[0] / 2) == ("left" in name)  # its voxels go to the left


def test_an_inverted_field_leads_back():
    warp = field()
    points = np.random.default_rng(0).uniform([-60, -90, -40], [60, 60, 70], (200, 3)).T
    there = warp.carry(points)
    assert np.linalg.norm(there - points, axis=0).max() > 4
    assert np.linalg.norm(inverted(warp).carry(there) - points, axis=0).max() < 0.1


def test_what_lies_outside_is_zero_and_the_range_is_kept():
    grid, shape = grids()["RAS"]
    for warp in (None, field()):
        back = array(on_t1([spot("right")], affine(), warp, grid, shape)[0])
        assert back.min() >= 0 and back.max() <= 1
        assert back[0].max() < 1e-3
