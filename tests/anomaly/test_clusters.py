"""Clusters, their ranking and the detection curve, on maps made by hand."""

from math import comb

import numpy as np
import pytest

from mri2pet.anomaly.clusters import ClusterSettings, find_clusters, overlapping
from mri2pet.anomaly.detection import Ranked, area, detection_curve
from mri2pet.anomaly.maps import anomaly_maps, smoothed

MASK = np.ones((12, 12, 12), bool)
AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
AFFINE[:3, 3] = [-10, -10, -10]


def made(*blobs):
    """A map of zeros with blocks of (corner, side, value)."""
    score = np.zeros(MASK.shape, np.float32)
    for (x, y, z), side, value in blobs:
        score[x : x + side, y : y + side, z : z + side] = value
    return score


def settings(**changes):
    return ClusterSettings(**{"quantile": 0.9, "smallest_ml": 0.016, **changes})


def test_large_and_deep_come_first():
    # 27 voxels of 2 beat 8 of 5, which beat 1 of 9 and 8 of 1
    score = made(((0, 0, 0), 2, 5), ((5, 5, 5), 3, 2), ((10, 10, 10), 1, 9), ((0, 9, 9), 2, 1))
    ranks, table = find_clusters(score, MASK, AFFINE, settings(smallest_ml=0.008))
    assert [ranks[6, 6, 6], ranks[0, 0, 0], ranks[10, 10, 10], ranks[0, 9, 9]] == [1, 2, 3, 4]
    assert table["voxels"].tolist() == [27, 8, 1, 8]
    assert table["excess"].tolist() == [54, 40, 9, 8]
    np.testing.assert_allclose(table["ml"], [0.216, 0.064, 0.008, 0.064])


def test_smallest_most_and_peak():
    score = made(((0, 0, 0), 2, 5), ((5, 5, 5), 3, 2), ((10, 10, 10), 1, 9))
    score[6, 7, 5] = 3
    ranks, table = find_clusters(score, MASK, AFFINE, settings(smallest_ml=0.064, most=1))
    assert table[["x", "y", "z"]].values.tolist() == [[2.0, 4.0, 0.0]]
    assert ranks.max() == 1 and not ranks[10, 10, 10] and not ranks[0, 0, 0]


@pytest.mark.parametrize("connectivity, count", [("faces", 2), ("edges", 2), ("corners", 1)])
def test_connectivity(connectivity, count):
    score = made(((0, 0, 0), 2, 1), ((2, 2, 2), 2, 1))
    _, table = find_clusters(score, MASK, AFFINE, settings(connectivity=connectivity))
    assert len(table) == count


def test_threshold_is_each_patients_own_and_within_the_mask():
    score = made(((0, 0, 0), 2, 5))
    mask = MASK.copy()
    mask[:, :, 6:] = False
    score[:, :, 6:] = 100  # no brain there
    first, _ = find_clusters(score, mask, AFFINE, settings())
    second, _ = find_clusters(10 * score + 3, mask, AFFINE, settings())
    assert (first > 0).sum() == 8
    np.testing.assert_array_equal(first, second)


def test_a_flat_map_has_no_cluster():
    ranks, table = find_clusters(np.zeros(MASK.shape), MASK, AFFINE, settings())
    assert table.empty and not ranks.any()


def test_overlap_with_the_lesion():
    ranks = np.zeros(MASK.shape, np.int16)
    ranks[:2], ranks[4:6], ranks[8] = 1, 2, 3
    lesion = np.zeros(MASK.shape, bool)
    lesion[5, 0, :3] = lesion[8, 0, 0] = True
    assert overlapping(ranks, lesion) == [2, 3]
    assert overlapping(ranks, lesion, smallest=2) == [2]
    assert overlapping(np.zeros_like(ranks), lesion) == []


def test_curve_and_chance():
    patients = [Ranked(4, (2,)), Ranked(3, ()), Ranked(5, (1, 4))]
    curve = detection_curve(patients, 6, "real")
    score = curve[curve["ranking"] == "score"]["sensitivity"].tolist()
    np.testing.assert_allclose(score, [1 / 3, 2 / 3, 2 / 3, 2 / 3, 2 / 3, 2 / 3])
    chance = curve[curve["ranking"] == "random"]["sensitivity"].tolist()
    two = (2 / 4 + (1 - comb(3, 2) / comb(5, 2))) / 3
    np.testing.assert_allclose(chance[:2], [(1 / 4 + 2 / 5) / 3, two])
    assert chance[-1] == pytest.approx(2 / 3)
    assert area(curve) > area(curve, "random")


def test_chance_is_what_shuffling_gives():
    patient = Ranked(7, (3, 5))
    rng = np.random.default_rng(0)
    drawn = [
        min(np.flatnonzero(np.isin(rng.permutation(7) + 1, patient.hits))) for _ in range(4000)
    ]
    for within in (1, 3, 5):
        assert patient.by_chance(within) == pytest.approx(np.mean(np.less(drawn, within)), abs=0.03)


def test_standardised_by_controls():
    controls = np.array([-1.0, 0, 1])[:, None, None, None] * np.ones(MASK.shape)
    controls[:, 6:] *= 4  # controls differ more there
    patient = np.full((1, *MASK.shape), -8.0)
    score = anomaly_maps(controls, patient, MASK)[0]
    assert score[0, 0, 0] > 2 * score[6, 0, 0] > 0
    flat = anomaly_maps(controls, patient, MASK, standardise="brain")[0]
    assert flat[0, 0, 0] == pytest.approx(flat[6, 0, 0])
    assert anomaly_maps(controls, patient, MASK, standardise="none")[0, 0, 0, 0] == 8


def test_background_leaves_what_is_focal():
    patient = np.zeros((1, *MASK.shape))
    patient[:, :6] = -3  # half of the brain
    patient[0, 9, 6, 6] = -3  # one voxel
    score = anomaly_maps(np.zeros((2, *MASK.shape)), patient, MASK, 0, "none", 1.5)[0]
    assert score[9, 6, 6] > 2 > 0.5 > abs(score[2, 6, 6])


def test_smoothing_does_not_leak_from_outside():
    mask = MASK.copy()
    mask[6:] = False
    made = np.where(mask, 1.0, 50.0)
    np.testing.assert_allclose(smoothed(made, mask, 1.5)[mask], 1, atol=1e-5)
    assert not smoothed(made, mask, 1.5)[~mask].any()
