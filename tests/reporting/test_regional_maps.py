"""Maps of regions: each region has its value, where it lies, over the template."""

import numpy as np
import pandas as pd
import pytest

import fakes
from mri2pet.evaluation.regional_bias import BIAS, COLUMNS, CONTRAST, EVERY, REAL
from mri2pet.reporting.regional_bias import sections
from mri2pet.reporting.regional_maps import Regions, by_region, maps_figure

AFFINE = np.diag([11.25, 13.6, 11.25, 1])
AFFINE[:3, 3] = [-90, -126, -72]
GROUPS = [["AD"], ["CN", "SMC"]]


@pytest.fixture(scope="module")
def anatomy():
    labels, mask = fakes.atlas(16)
    return labels, mask, {label: f"R{label}" for label in range(1, 117)}


@pytest.fixture
def table():
    rows = []
    for method, share in ((REAL, 1.0), ("unet", 0.5), ("told", None)):
        for number in range(1, 117):
            row = {"method": method, "region": f"R{number}", "by": "all", "level": "all", "n": 8}
            if share is not None:
                rows.append(row | {"metric": CONTRAST, "mean": -share * number / 1000})
            if method != REAL:
                rows.append(row | {"metric": BIAS, "mean": (number - 58) / 1000})
                rows.append(row | {"metric": BIAS, "mean": 9.0, "by": "group", "level": "AD"})
        if method != REAL:
            rows.append(row | {"metric": BIAS, "mean": 9.0, "region": EVERY})
    return pd.DataFrame(rows).reindex(columns=list(COLUMNS))


def figure_of(table, anatomy):
    labels, mask, names = anatomy
    regions = Regions(labels, names, AFFINE)
    shown = {"unet": "U-Net", "told": "Flow"}
    return maps_figure(
        table, regions, np.ones(mask.shape), mask, AFFINE, shown, GROUPS, "simulated"
    )


def test_each_region_has_its_value_and_the_rest_none(anatomy):
    labels, _, names = anatomy
    values = pd.Series({f"R{number}": number / 10 for number in range(116, 1, -1)})  # not the first
    volume = Regions(labels, names, AFFINE).volume(values)
    for number in (2, 60, 116):
        np.testing.assert_allclose(volume[labels == number], number / 10)
    assert not volume[labels == 1].any() and not volume[labels == 0].any()


def test_an_atlas_may_lack_regions(anatomy):
    labels, _, names = anatomy
    few = np.where(labels > 100, 0, labels)
    volume = Regions(few, names, AFFINE).volume(pd.Series({"R100": 1.0, "R101": 2.0}))
    assert set(np.unique(volume)) == {0, 1}


def test_only_all_people_and_single_regions_are_shown(table):
    found = by_region(table, BIAS)
    assert found.shape == (116, 2)
    assert found.to_numpy().max() < 1


def test_a_row_a_method_one_scale_a_column(table, anatomy):
    figure = figure_of(table, anatomy)
    over = [plane[1] for plane in fakes.planes_of(figure) if len(plane) == 2]
    assert len(over) == 3 * (2 + 2)  # contrast of real PET and of one method, bias of two
    assert len({image.get_clim() for image in over}) == 2
    words = [word.replace("\n", " ") for word in fakes.words_in(figure)]
    assert {"Real PET", "U-Net", "Flow", "contrast: AD less CN, SMC"} <= set(words)
    assert sum(word.startswith("told the diagnosis") for word in words) == 1
    assert [words.count(view) for view in ("sagittal", "coronal", "axial")] == [2, 2, 2]


def test_without_people_of_both_groups_the_bias_is_shown(table, anatomy):
    figure = figure_of(table[table["metric"] == BIAS], anatomy)
    over = [plane for plane in fakes.planes_of(figure) if len(plane) == 2]
    assert len(over) == 3 * 2


def test_the_section_shows_the_maps_where_they_are_there(table, tmp_path):
    from PIL import Image

    table.to_csv(tmp_path / "regional_bias.tsv", sep="\t", index=False)
    for name in ("bias", "maps"):
        Image.new("RGB", (40, 30)).save(tmp_path / f"regional_{name}.png")
    (section,) = sections(tmp_path.glob("*.*"), {}, "regions", "Title")
    assert [each.title for each in section.figures] == [
        "Contrast of regions", "Where contrast and bias lie",
    ]  # fmt: skip
    (tmp_path / "regional_maps.png").unlink()
    (section,) = sections(tmp_path.glob("*.*"), {}, "regions", "Title")
    assert len(section.figures) == 1
