"""Cortex, subcortex, cerebellum and ventricles in the dissection."""

import itertools

import numpy as np
import pandas as pd
import pytest
from torch import nn

import fakes
from mri2pet.files import read_tsv
from mri2pet.interpretation.composites import (
    COMPOSITES,
    VENTRICLES,
    aal_alone,
    composite,
    composite_tables,
    with_ventricles,
)
from mri2pet.interpretation.dissection import Brain, dissect
from mri2pet.interpretation.units import best_units
from planted import Planted

SIZE = 20
NAMES = list(COMPOSITES)


@pytest.fixture(scope="module")
def anatomy():
    """Labels, mask and the fluid that none of the labels covers: a block and one voxel apart."""
    atlas, mask = fakes.atlas(SIZE)
    atlas = atlas.copy()
    atlas[8:12, 9:12, 8:11] = 0
    atlas[5, 5, 5] = 0
    fluid = np.full(atlas.shape, 0.2)
    fluid[9:11, 10:11, 9:10] = fluid[5, 5, 5] = 0.9
    fluid[12, 12, 12] = 0.9  # inside a region: no ventricle
    return atlas, mask, fluid


def layers_of(anatomy, maps, scales=(1.0, 2.0)):
    atlas, mask, fluid = anatomy
    labels = with_ventricles(atlas, mask, fluid)
    sizes = np.bincount(labels[mask], minlength=VENTRICLES + 1)[1:]
    visits = [np.full((SIZE,) * 3, scale, np.float32) for scale in scales]
    brain = Brain.of(labels, mask, VENTRICLES, "cpu")
    return labels, sizes, dissect(nn.Sequential(Planted(maps)), visits, brain)


def test_ventricles_are_the_largest_piece_of_fluid_without_a_region(anatomy):
    atlas, mask, fluid = anatomy
    labels = with_ventricles(atlas, mask, fluid)
    assert np.argwhere(labels == VENTRICLES).tolist() == [[9, 10, 9], [10, 10, 9]]
    other = labels != VENTRICLES
    np.testing.assert_array_equal(labels[other], atlas[other])
    np.testing.assert_array_equal(with_ventricles(atlas, mask, 0 * fluid), atlas)


def test_every_region_of_the_atlas_is_in_one_composite(root, atlases):
    names = read_tsv(atlases / "aal.tsv").set_index("index")["name"]
    found = {}
    for composite_name, runs in COMPOSITES.items():
        for first, last in runs:
            for label in range(first, last + 1):
                assert found.setdefault(label, composite_name) == composite_name
    assert sorted(found) == list(range(1, VENTRICLES + 1))
    deep = ("Hippocampus", "Amygdala", "Caudate", "Putamen", "Pallidum", "Thalamus")
    for label, name in names.items():
        wanted = (
            "Cerebellum"
            if name.startswith(("Cerebelum", "Vermis"))
            else "Subcortical grey matter"
            if name.startswith(deep)
            else "Cortex"
        )
        assert found[label] == wanted, name


@pytest.mark.parametrize("number", range(4))
def test_a_unit_that_is_on_in_a_composite_finds_it(anatomy, number):
    atlas, mask, fluid = anatomy
    labels = with_ventricles(atlas, mask, fluid)
    lit = np.zeros(labels.shape)
    for first, last in COMPOSITES[NAMES[number]]:
        lit[(labels >= first) & (labels <= last)] = 1
    noise = 0.01 * np.random.default_rng(0).normal(size=lit.shape)
    _, sizes, layers = layers_of(anatomy, [lit + noise, noise])
    groups = np.array(["AD", "CN"])
    best = best_units(composite_tables(0, layers, sizes, groups, "AD", "CN", "region"))
    first = best[best["name"] == NAMES[number]].iloc[0]
    assert (first["layer"], first["unit"], first["side"]) == (1, 0, "high")
    assert first["iou"] > 0.99
    assert first["turned_iou"] < 0.9
    assert first["auc"] == 0  # the visit of the first group is the darker one


def test_counts_and_means_are_those_of_the_union(anatomy):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(1, SIZE, SIZE, SIZE)).astype(np.float32)
    labels, sizes, layers = layers_of(anatomy, values)
    mask = anatomy[1]
    for name, runs in COMPOSITES.items():
        joined = composite(layers[1], sizes, name)
        inside = np.zeros(mask.shape, bool)
        for first, last in runs:
            inside |= (labels >= first) & (labels <= last) & mask
        assert joined.counts[0, 0, 1].sum() == 2 * inside.sum()
        assert (joined.counts.sum((2, 3))[0] == 2 * mask.sum()).all()
        mean = values[0][inside].mean()
        np.testing.assert_allclose(joined.means[:, 0, 0], [mean, 2 * mean], rtol=1e-3)


def test_the_atlas_is_counted_as_without_ventricles(anatomy):
    atlas, mask, _ = anatomy
    values = np.random.default_rng(2).normal(size=(1, SIZE, SIZE, SIZE)).astype(np.float32)
    _, _, layers = layers_of(anatomy, values)
    visits = [np.full((SIZE,) * 3, scale, np.float32) for scale in (1.0, 2.0)]
    plain = dissect(nn.Sequential(Planted(values)), visits, Brain.of(atlas, mask, 116, "cpu"))
    for own, wanted in zip(map(aal_alone, layers), plain, strict=True):
        np.testing.assert_array_equal(own.counts, wanted.counts)
        np.testing.assert_allclose(own.means, wanted.means, rtol=1e-6)


def test_three_units_a_region_each_once_and_never_the_mri():
    columns = ["fold", "layer", "unit", "side", "region", "iou"]
    rows = [(0, 0, 0, "high", region, 0.99) for region in (2, 1)]
    for region, unit in itertools.product((1, 2), range(5)):
        rows += [(0, 1, unit, "high", region, unit / 10), (0, 1, unit, "low", region, unit / 9)]
    best = best_units(pd.DataFrame(rows, columns=columns))
    assert best[["region", "unit", "side"]].to_numpy().tolist() == [
        [region, unit, "low"] for region in (1, 2) for unit in (4, 3, 2)
    ]
