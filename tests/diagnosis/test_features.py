import numpy as np
import pandas as pd
import pytest

from mri2pet.diagnosis.features import (
    COLUMNS,
    MIN_TISSUE,
    WHOLE,
    feature_table,
    read_tissues,
    regional_means,
    wide,
)


def phantom():
    """Eight slabs of known intensity; the tissue fills half of each, region 8 has none."""
    atlas = np.repeat(np.arange(9, dtype=np.uint8), 16).reshape(9, 4, 4)
    image = atlas * 0.1
    weights = np.zeros(atlas.shape)
    weights[:, :2] = 1
    weights[8] = 0
    return image, weights, atlas


def test_regions_of_one_intensity_have_that_mean():
    image, weights, atlas = phantom()
    image[:, 2:] = 99  # no tissue there: must not count
    means = regional_means(image, weights, atlas, 8)
    np.testing.assert_allclose(means[:7], np.arange(1, 8) * 0.1)
    assert np.isnan(means[7])


def test_mean_is_weighted_by_the_probability():
    atlas = np.ones((1, 1, 4), dtype=np.uint8)
    image = np.array([[[0.0, 1.0, 0.5, 0.5]]])
    weights = np.array([[[0.75, 0.25, 0.0, 0.0]]])
    assert regional_means(image, weights, atlas, 1) == pytest.approx([0.25])


def test_next_to_no_tissue_gives_no_mean():
    atlas = np.ones((1, 1, 10), dtype=np.uint8)
    weights = np.full(atlas.shape, 0.9 * MIN_TISSUE / 10)
    assert np.isnan(regional_means(np.ones(atlas.shape), weights, atlas, 1)).all()


def test_table_takes_each_visit_s_own_tissue_and_stays_inside_the_mask():
    image, weights, atlas = phantom()
    mask = np.ones(atlas.shape, dtype=bool)
    mask[1] = False
    visits = pd.DataFrame(
        {"index": [1], "subject": ["s"], "visit": ["bl"], "group": ["CN"], "kind": ["paired"]}
    )
    other = weights[:, ::-1]
    image[:, :2] = 7  # the tissue of visit 1 lies in the other half
    tissues = {"GM": np.stack([weights, other]), "WM": np.stack([weights, 0.5 * other])}
    names = [f"Region_{n}" for n in range(1, 9)]
    table = feature_table(visits, "PET", image[None], tissues, atlas, mask, names)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 2 * 8
    grey = table[table["tissue"] == "GM"].set_index("region")["value"]
    assert np.isnan(grey[1])
    np.testing.assert_allclose(grey.loc[2:7], np.arange(2, 8) * 0.1)
    assert table["name"].iloc[3] == "Region_4"


def test_a_dataset_without_tissue_maps_is_measured_over_whole_regions(tmp_path):
    image, weights, atlas = phantom()
    mask = np.ones(atlas.shape, dtype=bool)
    mask[3, 1:] = False
    image[3, 0] = 5
    visits = pd.DataFrame(
        {"index": [7], "subject": ["s"], "visit": ["bl"], "group": ["CN"], "kind": ["paired"]}
    )
    tissues = read_tissues({"GM": [], "WM": []}, mask)
    names = [f"Region_{n}" for n in range(1, 9)]
    table = feature_table(visits, "PET", image[None], tissues, atlas, mask, names)
    assert set(table["tissue"]) == {WHOLE}
    np.testing.assert_allclose(table["value"], [0.1, 0.2, 5, 0.4, 0.5, 0.6, 0.7, 0.8])
    np.save(tmp_path / "gm.npy", weights[None])
    maps = read_tissues({"GM": tmp_path / "gm.npy"}, mask)
    assert list(maps) == ["GM"]
    np.testing.assert_array_equal(maps["GM"][0], weights)


def test_wide_has_a_column_a_tissue_and_region_in_one_order():
    rows = [
        {
            "index": i,
            "modality": m,
            "tissue": t,
            "region": r,
            "value": 100 * i + 10 * (t == "WM") + r,
        }
        for i in (3, 1)
        for m in ("PET", "MRI")
        for t in ("WM", "GM")
        for r in (2, 1)
    ]
    table = wide(pd.DataFrame(rows), "MRI")
    assert list(table.index) == [1, 3]
    np.testing.assert_array_equal(table.loc[3], [301, 302, 311, 312])
