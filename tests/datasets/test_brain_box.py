"""The box around the brain."""

import numpy as np
import pytest

from mri2pet.datasets.brain_box import brain_box, moved
from mri2pet.errors import InputError


def mask_of(first: tuple[int, int, int], last: tuple[int, int, int], size: int = 32) -> np.ndarray:
    mask = np.zeros((size,) * 3, bool)
    mask[tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))] = True
    return mask


def test_sides_are_multiples_and_the_mask_lies_inside() -> None:
    mask = mask_of((7, 6, 0), (20, 24, 9))
    box = brain_box(mask, 8)
    assert [side.stop - side.start for side in box] == [16, 24, 16]
    assert mask[box].sum() == mask.sum()


def test_the_box_stays_in_the_grid_where_the_mask_touches_its_end() -> None:
    box = brain_box(mask_of((0, 23, 3), (8, 31, 28)), 8)
    assert box == (slice(0, 16), slice(16, 32), slice(0, 32))


def test_zero_keeps_the_whole_grid() -> None:
    assert brain_box(mask_of((7, 6, 0), (20, 24, 9)), 0) == (slice(0, 32),) * 3


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(InputError, match="mask is empty"):
        brain_box(np.zeros((8, 8, 8), bool), 4)
    with pytest.raises(InputError, match="crop: 24 does not fit"):
        brain_box(mask_of((0, 0, 0), (27, 27, 27)), 24)


def test_a_voxel_of_the_box_keeps_its_place_in_the_world() -> None:
    affine = np.array([[2.0, 0.1, 0, -90], [0, 3, 0, -126], [0, 0, 2.5, -72], [0, 0, 0, 1]])
    box = (slice(4, 20), slice(0, 16), slice(7, 31))
    voxel = np.array([1, 2, 3, 1])
    start = np.array([4, 0, 7, 0])
    whole = affine @ (voxel + start)
    np.testing.assert_allclose(moved(affine, box) @ voxel, whole)
