"""Deformations of the simulated cohort: inverse, sign, smoothness, size."""

import numpy as np
import pytest

from mri2pet.simulation.anatomy import SCALES
from mri2pet.simulation.warps import (
    CENTRE,
    SHAPE,
    Deformation,
    apply,
    exponentiate,
    grid_points,
    jacobian,
    random_affine,
    random_pose,
    random_velocity,
    rotation,
    velocity_of_divergence,
)


@pytest.fixture(scope="module")
def deformation() -> Deformation:
    rng = np.random.default_rng(3)
    return Deformation(random_affine(rng, "F"), exponentiate(random_velocity(rng, SCALES)))


@pytest.fixture
def points():
    return np.random.default_rng(0).uniform([-65, -95, -40], [65, 60, 75], (2000, 3))


def test_inverse_undoes_the_deformation(deformation, points):
    assert np.abs(deformation.to_template(deformation.to_head(points)) - points).max() < 2e-3


def test_deformation_never_folds(deformation):
    determinant = jacobian(deformation.displacement)
    assert determinant.min() > 0.2
    assert determinant.max() < 4


def test_people_differ_by_some_millimetres_after_an_affine(deformation, points):
    head = deformation.to_head(points)
    design = np.c_[head, np.ones(len(head))]
    fit = np.linalg.lstsq(design, points, rcond=None)[0]
    assert 1.2 < np.median(np.linalg.norm(design @ fit - points, axis=1)) < 4


def test_centre_is_calm():
    draws = [random_velocity(np.random.default_rng(k), {18.0: 2.0}) for k in range(6)]
    rms = np.sqrt(np.mean(np.square(draws), axis=(0, 1)))
    near = np.linalg.norm(grid_points() - CENTRE[:, None, None, None], axis=0) < 15
    assert rms[near].mean() < 0.45 * rms[~near].mean()
    aside = np.abs(grid_points()[0])
    lateral = np.sqrt(np.mean(np.square(draws)[:, 0], axis=0))
    assert lateral[aside < 3].mean() < 0.5 * lateral[aside > 40].mean()


def test_exponential_of_a_translation_is_that_translation():
    velocity = np.zeros((3, *SHAPE), np.float32)
    velocity[1] = 4.0
    assert exponentiate(velocity)[1] == pytest.approx(4.0, abs=1e-4)


def test_positive_divergence_shrinks_the_subject():
    x, y, z = grid_points()
    blob = np.exp(-(x**2 + y**2 + z**2) / (2 * 12**2))
    displacement = exponentiate(velocity_of_divergence(0.3 * blob))
    determinant = jacobian(displacement)
    middle = np.unravel_index(blob.argmax(), SHAPE)
    assert np.log(determinant[middle]) == pytest.approx(0.3, abs=0.05)
    # twelve millimetres from the middle of the template lie nearer in the subject
    head = Deformation(np.eye(4), displacement).to_head(np.array([[12.0, 0.0, 0.0]]))
    assert 9 < head[0, 0] < 11.8


def test_affine_part_maps_template_to_head():
    matrix = np.diag([0.9, 0.95, 1.0, 1.0])
    still = Deformation(matrix, np.zeros((3, *SHAPE), np.float32))
    assert still.to_head(np.array([[10.0, 20.0, 30.0]])) == pytest.approx(np.array([[9, 19, 30]]))
    assert still.to_template(np.array([[9.0, 19.0, 30.0]])) == pytest.approx(
        np.array([[10, 20, 30]])
    )


def test_rotations_turn_the_right_way():
    nod = rotation(np.array([90.0, 0, 0])) @ [0, 1, 0]  # forward turns up
    turn = rotation(np.array([0, 0, 90.0])) @ [1, 0, 0]  # right turns forward
    assert nod == pytest.approx(np.array([0, 0, 1]), abs=1e-12)
    assert turn == pytest.approx(np.array([0, 1, 0]), abs=1e-12)


def test_poses_are_rigid_and_bounded():
    for seed in range(20):
        pose = random_pose(np.random.default_rng(seed))
        turn = pose[:3, :3]
        assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-12)
        assert np.linalg.det(turn) == pytest.approx(1)
        assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) < 17
        assert np.abs(apply(pose, CENTRE[None]) - CENTRE).max() <= 20


def test_women_have_smaller_heads_on_average():
    volumes = {
        sex: np.mean(
            [np.linalg.det(random_affine(np.random.default_rng(k), sex)) for k in range(30)]
        )
        for sex in "MF"
    }
    assert 0.7 < volumes["F"] < volumes["M"] < 0.9
