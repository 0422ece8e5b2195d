"""Chance in space: on clusters of people without the lesion, and on none that the lesion made."""

import numpy as np
import pandas as pd
import pytest
from detection_fakes import MASK, SHAPE, box, clusters, examined

from mri2pet.anomaly.chance import CONTROLS, PATIENTS, chance_table
from mri2pet.anomaly.detection import Curves, Ranked, detection_curve, placement_test
from mri2pet.anomaly.hits import HitSettings
from mri2pet.anomaly.patients import known, ranked
from mri2pet.anomaly.placements import ChanceSettings

LESION = box((4, 4, 4), 4)
HIT = HitSettings()


def table(own, controls, lesion=LESION, many=10**6, seed=1):
    return chance_table(
        [("p", "bl")], lesion[None], [own], controls, MASK, MASK, HIT, ChanceSettings(many), 3, seed
    )


def of(rows, among):
    return rows[rows["among"] == among].set_index("other")


def test_the_lesions_own_cluster_is_not_among_those_of_chance():
    """The detector finds just the lesion: moved elsewhere nothing is found, and not everything."""
    rows = table(clusters(((4, 4, 4), 4)), {"c": [clusters()]})
    assert of(rows, PATIENTS).loc["p", "within_3"] == 0
    assert of(rows, CONTROLS).loc["c", "within_3"] == 0


@pytest.mark.parametrize("corner", [(4, 4, 4), (7, 7, 7), (1, 4, 4)])
def test_whatever_touches_the_lesion_is_left_out(corner):
    """Beside the lesion's own cluster, however it overlaps, the other one alone is met."""
    other = ((12, 12, 12), 3)
    alone = table(clusters(other), {"c": [clusters()]})
    both = table(clusters((corner, 4), other), {"c": [clusters()]})
    pd.testing.assert_frame_equal(of(both, PATIENTS), of(alone, PATIENTS))
    assert of(both, PATIENTS).loc["p", "within_1"] > 0  # it has become the first


def test_chance_on_controls_does_not_depend_on_the_patients_clusters():
    controls = {"a": [clusters(((3, 3, 3), 4))], "b": [clusters(), clusters(((8, 8, 8), 4))]}
    first, second = (table(own, controls) for own in (clusters(), clusters(((4, 4, 4), 4))))
    pd.testing.assert_frame_equal(of(first, CONTROLS), of(second, CONTROLS))
    shares = of(first, CONTROLS)["within_1"]
    assert shares["a"] == pytest.approx(2 * shares["b"], rel=0.4)  # one visit of two has none


def test_the_share_is_that_of_all_places():
    """A cluster of the size of the lesion: all shifts by which enough is shared are counted."""
    rows = table(clusters(), {"c": [clusters(((6, 6, 6), 4))]})
    step = np.abs(np.arange(13) - 6)
    shared = np.maximum(4 - step, 0)
    voxels = shared[:, None, None] * shared[None, :, None] * shared
    met = (voxels >= 0.1 * (128 - voxels)) & (voxels > 0)
    there = np.arange(13)  # the peak (6, 6, 6) lies in it where it begins 0 to 3 voxels before
    inside = (there <= 6) & (there >= 3)
    met |= inside[:, None, None] & inside[None, :, None] & inside
    assert of(rows, CONTROLS).loc["c", "within_1"] == pytest.approx(met.mean())
    assert of(rows, CONTROLS).loc["c", "places"] == 2 * 13**3


def test_places_are_the_same_for_all_detectors_and_seeds_differ():
    own, controls = clusters(((12, 12, 12), 3)), {"c": [clusters(((6, 6, 6), 4))]}
    first, again, other = (table(own, controls, many=50, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_more_clusters_find_no_less():
    rows = table(clusters(), {"c": [clusters(((1, 1, 1), 4), ((9, 9, 9), 5))]})
    shares = of(rows, CONTROLS).loc["c", ["within_1", "within_2", "within_3"]].to_numpy(float)
    assert 0 < shares[0] < shares[1] == shares[2]


def test_a_lesion_without_a_place_or_unknown_stops_nothing():
    rows = table(clusters(), {"c": [clusters()]}, lesion=np.ones(SHAPE, bool))
    assert of(rows, CONTROLS).loc["c", "places"] == 2
    assert of(rows, PATIENTS).loc["p", "places"] == 0  # nowhere apart from itself
    assert np.isnan(of(rows, PATIENTS).loc["p", "within_1"])
    assert table(clusters(), {"c": [clusters()]}, lesion=np.zeros(SHAPE, bool)).empty


def curves_of(found):
    return Curves.of(ranked(found.patients), known(found.patients), found.chance)


@pytest.mark.parametrize("right", [True, False])
def test_a_detector_that_finds_lesions_is_above_chance_and_another_is_not(right):
    rng = np.random.default_rng(3)
    corners = [tuple(rng.integers(0, 12, 3)) for _ in range(24)]
    lesions = [box(corner, 4) for corner in corners]
    seen = lesions if right else [box(tuple(rng.integers(0, 12, 3)), 4) for _ in lesions]
    curves = curves_of(examined(seen, lesions, most=3))
    curve = detection_curve(curves, "real").set_index(["ranking", "clusters"])
    score, chance = curve.loc["score", 3], curve.loc["chance", 3]
    if right:
        assert score["low"] > chance["high"] and placement_test(curves) < 0.001
    else:
        assert score["low"] < chance["high"] and placement_test(curves) > 0.01
    assert chance["sensitivity"] < 0.2


def test_shuffled_clusters_are_the_exact_mean_of_shuffles():
    patient = Ranked(7, (3, 5))
    rng = np.random.default_rng(0)
    drawn = [
        min(np.flatnonzero(np.isin(rng.permutation(7) + 1, patient.hits))) for _ in range(4000)
    ]
    for k in (1, 3, 5):
        assert patient.shuffled(k) == pytest.approx(np.mean(np.less(drawn, k)), abs=0.03)
    assert [patient.found(k) for k in (1, 2, 3, 7)] == [0, 0, 1, 1]
    assert Ranked(4, ()).shuffled(4) == 0
