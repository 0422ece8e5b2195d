"""When a cluster has found a lesion, at its place and moved; where lesions are moved to."""

import numpy as np
import pytest
from detection_fakes import AFFINE, MASK, SHAPE, box, clusters
from hypothesis import given
from hypothesis import strategies as st

from mri2pet.anomaly.clusters import ClusterSettings, find_clusters
from mri2pet.anomaly.hits import NEVER, Clusters, HitSettings, first, meets, touches
from mri2pet.anomaly.placements import ChanceSettings, places

LESION = box((4, 4, 4), 4)  # 64 voxels


@pytest.mark.parametrize(
    "of, overlap, expected",
    [
        # one voxel at the lesion's corner; 8 of 27 voxels; all of 512 about it
        ("union", 0.1, [False, False, True]),
        ("union", 0.09, [False, True, True]),  # 8 / (64 + 27 - 8) = .096
        ("union", 0.13, [False, False, False]),  # 64 / 512 = .125
        ("lesion", 0.1, [False, True, True]),  # 1, 8 and 64 of 64
        ("lesion", 0.13, [False, False, True]),
        ("cluster", 0.2, [True, True, False]),  # all of 1, 8 of 27, 64 of 512
        ("cluster", 0.0, [True, True, True]),
    ],
)
def test_overlap_is_a_share_of_what_is_named(of, overlap, expected):
    blocks = [((4, 4, 4), 1)], [((6, 6, 6), 3)], [((1, 1, 1), 8)]
    settings = HitSettings(overlap, of, peak=False)
    found = [meets(clusters(*own), LESION, settings)[0] for own in blocks]
    assert found == expected


def test_a_peak_in_the_lesion_is_a_hit():
    small = clusters(((7, 7, 7), 1), ((8, 8, 8), 2))
    assert meets(small, LESION, HitSettings(peak=False)).tolist() == [False, False]
    assert meets(small, LESION, HitSettings(peak=True)).tolist() == [True, False]


def test_no_overlap_is_no_hit_whatever_the_share():
    far = clusters(((12, 12, 12), 2))
    assert not meets(far, LESION, HitSettings(0.0, "lesion", peak=True)).any()
    assert not meets(far, np.zeros(SHAPE, bool), HitSettings(0.0)).any()
    assert not meets(clusters(), LESION, HitSettings()).size


@pytest.mark.parametrize("of", ["union", "lesion", "cluster"])
def test_moved_lesions_meet_as_if_they_lay_there(of):
    own = clusters(((2, 3, 4), 3), ((9, 9, 9), 4), ((12, 2, 2), 2))
    shifts = np.random.default_rng(0).integers(-4, 9, (60, 3))
    settings = HitSettings(0.1, of)
    found = meets(own, LESION, settings, shifts)
    there = [
        meets(own, np.roll(LESION, tuple(shift), axis=(0, 1, 2)), settings) for shift in shifts
    ]
    np.testing.assert_array_equal(found, there)
    assert found.any() and not found.all()


def test_first_hit_and_what_touches():
    met = np.array([[False, True, True], [False, False, False], [True, False, False]])
    assert first(met).tolist() == [2, NEVER, 1]
    assert first(np.zeros((2, 0), bool)).tolist() == [NEVER, NEVER]
    own = clusters(((7, 7, 7), 3), ((12, 12, 12), 2))  # one voxel of the first
    assert touches(own, LESION).tolist() == [True, False]
    rest = own.without(touches(own, LESION))
    assert rest.sizes.tolist() == [8] and rest.ranks.max() == 1
    assert (rest.ranks == 1).sum() == 8 and not rest.ranks[LESION].any()


def test_clusters_are_read_off_their_table():
    score = np.zeros(SHAPE)
    score[box((2, 2, 2), 3)], score[3, 4, 2] = 2, 5
    ranks, table = find_clusters(score, MASK, AFFINE, ClusterSettings(smallest_ml=0), 1.0)
    read = Clusters.of(ranks, table, AFFINE)
    assert read.peaks.tolist() == [[3, 4, 2]] and read.sizes.tolist() == [27]


@given(seed=st.integers(0, 999), grey=st.floats(0, 1), many=st.sampled_from([5, 400]))
def test_every_place_fits(seed, grey, many):
    """In the brain as a whole, grey enough, each once; mirrored ones keep the lesion's shape."""
    rng = np.random.default_rng(seed)
    brain = box((1, 1, 1), 13)
    matter = rng.random(SHAPE) < 0.6
    lesion = box((3, 4, 5), 3)
    lesion[6, 4, 5] = True  # not the same from left and right
    found = places(lesion, brain, matter, ChanceSettings(many, grey), rng)
    needed = min(grey, (matter & brain)[lesion].mean())
    seen = set()
    for mirrored, (voxels, shifts) in enumerate(found.parts()):
        shape = lesion[::-1] if mirrored else lesion
        np.testing.assert_array_equal(voxels, np.argwhere(shape))
        for shift in shifts:
            moved = tuple((voxels + shift).T)
            assert brain[moved].all()
            assert matter[moved].mean() >= needed - 1e-9
            seen.add((mirrored, *shift))
    assert len(seen) == len(found) <= many


def test_both_sides_are_drawn_and_every_place_is_as_likely():
    found = places(LESION, MASK, MASK, ChanceSettings(10**6), np.random.default_rng(0))
    assert len(found.plain_shifts) == len(found.mirrored_shifts) == 13**3
    few = places(LESION, MASK, MASK, ChanceSettings(1000), np.random.default_rng(0))
    assert len(few) == 1000 and 400 < len(few.plain_shifts) < 600


def test_places_keep_apart_from_what_they_must_not_touch():
    found = places(
        LESION, MASK, MASK, ChanceSettings(10**6), np.random.default_rng(0), apart=LESION
    )
    for voxels, shifts in found.parts():
        assert not any(LESION[tuple((voxels + shift).T)].any() for shift in shifts)
    assert 0 < len(found) < 2 * 13**3


@pytest.mark.parametrize("side", [13, 14, 16])
def test_a_lesion_too_large_to_move_has_few_places_or_none(side, caplog):
    brain = box((1, 1, 1), 13)
    lesion = box((1, 1, 1), side)
    caplog.set_level("INFO")
    found = places(lesion, brain, MASK, ChanceSettings(1000), np.random.default_rng(0))
    assert len(found) == (2 if side == 13 else 0)  # as it is, and mirrored onto itself
    assert "fits in" in caplog.text


def test_a_lesion_with_little_grey_matter_may_move_to_as_little():
    grey = box((8, 0, 0), 16)
    lesion = box((6, 6, 6), 3)  # a third of it is grey
    found = places(lesion, MASK, grey, ChanceSettings(10**6, 0.9), np.random.default_rng(0))
    least = min(grey[tuple((found.plain + shift).T)].mean() for shift in found.plain_shifts)
    assert least == pytest.approx(1 / 3)
