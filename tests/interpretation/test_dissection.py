import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import fakes
from mri2pet.errors import InputError
from mri2pet.interpretation.dissection import (
    Brain,
    dissect,
    feature_maps,
    global_path,
    turned_atlases,
    unit_maps,
)
from mri2pet.interpretation.overlap import overlaps, turned_iou
from mri2pet.interpretation.units import best_regions, layer_tables
from mri2pet.models.registry import build
from planted import Planted

SIZE = 20
N = 116
NAMES = [f"Region_{n}" for n in np.random.default_rng(5).permutation(N)]  # not in numerical order


@pytest.fixture(scope="module")
def anatomy():
    return fakes.atlas(SIZE)


def brain_of(anatomy, n=N):
    return Brain.of(*anatomy, n, "cpu")


def visits(scales):
    return [np.full((SIZE, SIZE, SIZE), scale, np.float32) for scale in scales]


def table_of(anatomy, maps, scales=(1.0, 1.0, 1.0), groups=("AD", "CN", "CN"), top="region", n=N):
    layers = dissect(nn.Sequential(Planted(maps)), visits(scales), brain_of(anatomy, n))
    names = NAMES[:n]
    tables = layer_tables(0, layers[1:], np.array(groups), "AD", "CN", names, top)
    return pd.concat(tables, ignore_index=True)


def field(seed):
    return np.random.default_rng(seed).normal(0, 1, (SIZE, SIZE, SIZE))


@pytest.mark.parametrize("region", [1, 37, 116])
def test_planted_units_find_their_region_by_number_and_name(anatomy, region):
    """A unit that is on in one region alone, and one that is off there."""
    atlas, _ = anatomy
    lit = (atlas == region) + 0.01 * field(0)
    best = best_regions(table_of(anatomy, [lit, -lit, field(1)])).set_index("unit")
    for unit, side in ((0, "high"), (1, "low")):
        assert best.loc[unit, "region"] == region
        assert best.loc[unit, "name"] == NAMES[region - 1]
        assert best.loc[unit, "side"] == side
        assert best.loc[unit, "iou"] > 0.99
        assert best.loc[unit, "turned_iou"] < 0.8
    assert best.loc[2, "iou"] < 0.2


def test_other_labels_give_another_region(anatomy):
    """The unit stays, the atlas is relabelled: the number found follows the atlas."""
    atlas, mask = anatomy
    lit = (atlas == 12).astype(float)
    relabelled = np.where(atlas, 117 - atlas, 0)
    best = best_regions(table_of((relabelled, mask), [lit]))
    assert best["region"].iloc[0] == 105
    assert best["name"].iloc[0] == NAMES[104]


def test_regions_count_inside_the_mask_alone(anatomy):
    atlas, mask = anatomy
    spilt = atlas.copy()
    spilt[~mask] = 12
    lit = (atlas == 12).astype(float)
    assert best_regions(table_of((spilt, mask), [lit]))["iou"].iloc[0] == pytest.approx(1)


def test_iou_is_that_of_all_visits_at_once(anatomy):
    """Streamed counts against the definition, on values that differ from visit to visit."""
    atlas, mask = anatomy
    maps, scales = [field(2), field(3) ** 3], (1.0, 0.7, 1.3, 0.2, 0.9)
    layers = dissect(nn.Sequential(Planted(maps)), visits(scales), brain_of(anatomy))
    for side, sign in (("high", 1), ("low", -1)):
        iou, expected, share = overlaps(layers[1].counts[0], side, "region")
        for unit, values in enumerate(maps):
            pooled = sign * np.concatenate([s * np.float32(values)[mask] for s in scales])
            labels = np.tile(atlas[mask], len(scales))
            for region in (1, 50, 116):
                inside = labels == region
                beyond = np.zeros(len(pooled), bool)
                beyond[np.argsort(-pooled)[: inside.sum()]] = True
                wanted = (beyond & inside).sum() / (beyond | inside).sum()
                assert iou[unit, region - 1] == pytest.approx(wanted, abs=0.02)
                p, q = inside.mean(), share[unit, region - 1]
                assert q == pytest.approx(p, rel=0.1)
                assert expected[unit, region - 1] == pytest.approx(p * q / (p + q - p * q))


def test_order_and_batches_of_visits_change_no_count(anatomy):
    maps, scales = [field(4)], [1.0, 0.5, 2.0, 0.8, 0.6]
    one, other = (
        dissect(nn.Sequential(Planted(maps)), visits(order), brain_of(anatomy))[1]
        for order in (scales, scales[::-1])
    )
    np.testing.assert_array_equal(one.counts, other.counts)
    np.testing.assert_array_equal(one.means, other.means[::-1])
    brain_voxels = int(anatomy[1].sum())
    assert (one.counts[0].sum((1, 2)) == len(scales) * brain_voxels).all()


def test_means_are_those_of_visit_and_region(anatomy):
    atlas, mask = anatomy
    layers = dissect(nn.Sequential(Planted([field(6)])), visits([1.0, 3.0]), brain_of(anatomy))
    wanted = np.float32(field(6))[mask & (atlas == 9)].mean()
    np.testing.assert_allclose(layers[1].means[:, 0, 8], [wanted, 3 * wanted], rtol=1e-4)
    assert layers[0].means.shape == (2, 1, N)  # the MRI itself


@pytest.mark.parametrize("top", [0.02, 0.2])
def test_a_share_as_number_is_the_share_beyond_the_cut(anatomy, top):
    table = table_of(anatomy, [field(7)], top=top)
    high, low = table[table["side"] == "high"], table[table["side"] == "low"]
    np.testing.assert_allclose(1 - high["quantile"], top, rtol=0.05)
    np.testing.assert_allclose(low["quantile"], top, rtol=0.05)


def test_ties_are_never_parted(anatomy):
    """A unit that is zero nearly everywhere: no set of zeros can stand for a region."""
    atlas, _ = anatomy
    lit = np.where(np.isin(atlas, (3, 4)), 1.0, 0.0)
    table = table_of(anatomy, [lit])
    low = table[table["side"] == "low"]
    assert (low["iou"] == 0).all()
    assert (low["quantile"] == 0).all()
    high = table[(table["side"] == "high")].set_index("region")
    for region in (3, 4):  # both regions are lit alike: the set is both or none
        sizes = np.array([(atlas == 3).sum(), (atlas == 4).sum()])
        own = sizes[region - 3]
        assert high.loc[region, "iou"] in (0.0, pytest.approx(own / sizes.sum()))


def test_a_constant_unit_singles_out_nothing_and_comes_last(anatomy):
    table = table_of(anatomy, [np.ones((SIZE,) * 3), field(8)])
    best = best_regions(table)
    last = best.iloc[-1]
    assert last["unit"] == 0
    assert pd.isna(last["iou"]) and pd.isna(last["region"]) and pd.isna(last["auc"])
    assert best["rank"].to_list() == [1, 2]


def test_a_region_without_a_voxel_is_never_the_best(anatomy):
    """A region lost on the grid: missing, and not confused with its neighbour in number."""
    atlas, mask = anatomy
    without = np.where(atlas == 20, 0, atlas)
    table = table_of((without, mask), [(atlas == 21) + 0.01 * field(0)])
    lost = table[table["region"] == 20]
    assert lost["iou"].isna().all() and lost["auc"].isna().all()
    assert best_regions(table)["region"].iloc[0] == 21


def test_turned_atlas_catches_a_unit_that_lies_by_chance(anatomy):
    """Lit where a region would be if the atlas stood upside down."""
    atlas, mask = anatomy
    turned = turned_atlases(np.where(mask, atlas, 0), mask)[1]
    layer = dissect(nn.Sequential(Planted([turned == 30])), visits([1.0]), brain_of(anatomy))[1]
    assert turned_iou(layer.counts[1:], "region")[0] > 0.7
    assert np.nanmax(overlaps(layer.counts[0], "high", "region")[0]) < 0.6


def test_turning_keeps_left_and_right():
    atlas = np.zeros((4, 4, 4), int)
    atlas[0, 0, 0], atlas[3, 3, 3] = 1, 2
    front, up, both = turned_atlases(atlas, np.ones((4, 4, 4), bool))
    assert (front[0, 3, 0], up[0, 0, 3], both[0, 3, 3]) == (1, 1, 1)
    assert (front[3, 0, 3], up[3, 3, 0], both[3, 0, 0]) == (2, 2, 2)


def test_auc_is_of_the_unit_in_its_best_region(anatomy):
    """AD visits are brighter by their scale; the positive group has AUC 1."""
    atlas, _ = anatomy
    scales, groups = (2.0, 1.0, 2.2, 1.1, 5.0), ("AD", "CN", "AD", "CN", "MCI")
    lit = 1.0 + (atlas == 40)
    best = best_regions(table_of(anatomy, [lit], scales, groups)).iloc[0]
    assert best["auc"] == 1
    assert best["cohens_d"] > 5
    assert (best["n_positive"], best["n_negative"]) == (2, 2)


def test_without_one_group_there_is_an_iou_but_no_auc(anatomy):
    best = best_regions(table_of(anatomy, [anatomy[0] == 7], groups=("CN", "CN", "CN"))).iloc[0]
    assert best["iou"] == pytest.approx(1)
    assert pd.isna(best["auc"]) and pd.isna(best["cohens_d"])


def test_maps_are_those_that_a_hook_sees():
    torch.manual_seed(0)
    network = build({"name": "gla_gan", "filters": [3, 2, 4, 2], "patches": 2}).eval()
    seen = []
    for block in global_path(network):
        block.register_forward_hook(lambda module, given, out: seen.append(out.clone()))
    mri = np.random.default_rng(0).random((2, 16, 16, 16), np.float32)
    with torch.inference_mode():
        network(torch.from_numpy(mri[:, None]))
    for hook in list(global_path(network)):
        hook._forward_hooks.clear()
    maps = [batch.clone() for batch in feature_maps(global_path(network), mri, "cpu")]
    assert [batch.shape[1] for batch in maps] == [1, 3, 2, 4, 2]
    np.testing.assert_array_equal(maps[0][:, 0], mri)
    for found, wanted in zip(maps[1:], seen, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    chosen = unit_maps(global_path(network), mri, [(3, 2), (1, 0)])
    np.testing.assert_array_equal(chosen[0], maps[3][:, 2])
    np.testing.assert_array_equal(chosen[1], maps[1][:, 0])


@pytest.mark.parametrize(
    "config",
    [
        {"name": "unet3d", "filters": [2, 3]},
        {"name": "gla_gan", "filters": [2], "patches": 2, "global_path": False},
    ],
)
def test_a_generator_without_a_global_path_is_refused(config):
    with pytest.raises(InputError, match=r"gla_gan\.interpretation\.model"):
        global_path(build(config))
