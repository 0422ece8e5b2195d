"""Clusters and their ranking, thresholds and score maps, on maps made by hand."""

import numpy as np
import pytest

from mri2pet.anomaly.clusters import ClusterSettings, find_clusters, thresholds
from mri2pet.anomaly.maps import anomaly_maps, left_out_maps, smoothed
from mri2pet.errors import InputError

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


def test_a_threshold_for_everybody_leaves_some_without_a_cluster():
    high, low = made(((0, 0, 0), 2, 5)), made(((0, 0, 0), 2, 3))
    assert len(find_clusters(high, MASK, AFFINE, settings(), 4)[1]) == 1
    assert find_clusters(low, MASK, AFFINE, settings(), 4)[1].empty
    assert len(find_clusters(low, MASK, AFFINE, settings())[1]) == 1  # by the map's own quantile


def test_nobodys_threshold_is_set_on_their_own_scores():
    controls = np.random.default_rng(0).normal(size=(4, *MASK.shape))
    names, parts = ["a", "b", "c", "c"], [MASK] * 4  # two visits of one person
    common, own = thresholds(controls, names, parts, 0.99)
    assert common == pytest.approx(np.quantile(controls, 0.99))
    for name, limit in zip(names, own, strict=True):
        others = controls[[other != name for other in names]]
        assert limit == pytest.approx(np.quantile(others, 0.99))
    controls[0] += 100
    again = thresholds(controls, names, parts, 0.99)
    assert again[1][0] == own[0] and min(again[1][1:]) > max(own)
    parts[1] = np.zeros_like(MASK)  # nothing of it is measured
    assert thresholds(controls, names, parts, 0.99)[1][0] == pytest.approx(
        np.quantile(controls[2:], 0.99)
    )


@pytest.mark.parametrize("standardise", ["voxel", "brain", "none"])
def test_a_control_is_scored_by_the_others_alone(standardise):
    controls = np.random.default_rng(1).normal(size=(5, *MASK.shape)).astype(np.float32)
    names = ["a", "b", "c", "d", "d"]
    how = (MASK, 1.0, standardise, 2.0)
    scores = left_out_maps(controls, names, *how)
    for number, others in ((0, [1, 2, 3, 4]), (2, [0, 1, 3, 4]), (4, [0, 1, 2])):
        expected = anomaly_maps(controls[others], controls[number : number + 1], *how)[0]
        np.testing.assert_allclose(scores[number], expected, atol=1e-5)


def test_too_few_controls_for_false_alarms():
    controls = np.zeros((3, *MASK.shape))
    with pytest.raises(InputError, match="2 controls are held out"):
        left_out_maps(controls, ["a", "b", "b"], MASK)


def test_a_flat_map_has_no_cluster():
    ranks, table = find_clusters(np.zeros(MASK.shape), MASK, AFFINE, settings())
    assert table.empty and not ranks.any()


def test_standardised_by_controls():
    controls = np.array([-1.0, 0, 1])[:, None, None, None] * np.ones(MASK.shape)
    controls[:, 6:] *= 4  # controls differ more there
    patient = np.full((1, *MASK.shape), -8.0)
    score = anomaly_maps(controls, patient, MASK)[0]
    assert score[0, 0, 0] > 2 * score[6, 0, 0] > 0
    flat = anomaly_maps(controls, patient, MASK, standardise="brain")[0]
    assert flat[0, 0, 0] == pytest.approx(flat[6, 0, 0])
    assert anomaly_maps(controls, patient, MASK, standardise="none")[0, 0, 0, 0] == 8


def test_too_much_is_suspicious_only_where_both_directions_are():
    controls = np.array([-1.0, 0, 1])[:, None, None, None] * np.ones(MASK.shape)
    asked = np.stack([np.full(MASK.shape, 5.0), np.full(MASK.shape, -5.0)])
    low = anomaly_maps(controls, asked, MASK)
    both = anomaly_maps(controls, asked, MASK, direction="both")
    assert low[0].max() < 0 < low[1].min()
    np.testing.assert_array_equal(both[0], both[1])
    np.testing.assert_array_equal(both[1], low[1])


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
