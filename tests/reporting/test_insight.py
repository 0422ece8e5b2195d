"""Figures and report sections of unit dissection and interpolation."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fakes
from mri2pet.files import write_tsv
from mri2pet.interpretation.interpolation import Visit, step_table, with_decisions, with_summary
from mri2pet.reporting.figures import save
from mri2pet.reporting.html import SIMULATED_NOTE, Report, render
from mri2pet.reporting.insight import dissection_section, interpolation_section, sections
from mri2pet.reporting.insight_figures import (
    DissectedUnit,
    dissection_figure,
    interpolation_figure,
)

AFFINE = np.diag([9.0, 10.9, 9.0, 1.0])
AFFINE[:3, 3] = [-90, -126, -72]
GROUPS = ("CN", "AD")


@pytest.fixture(scope="module")
def anatomy():
    return fakes.atlas(20)


@pytest.fixture
def best():
    rows = [
        {
            "rank": 1, "fold": 0, "layer": 2, "unit": 3, "side": "low", "region": 37,
            "name": "Hippocampus_L", "quantile": 0.01, "iou": 0.25, "expected_iou": 0.01,
            "turned_iou": 0.125, "auc": 1.0, "cohens_d": 2.5, "n_positive": 2, "n_negative": 3,
        },
        {
            "rank": 2, "fold": 0, "layer": 2, "unit": 0, "side": None, "region": np.nan,
            "name": None, "quantile": np.nan, "iou": np.nan, "expected_iou": np.nan,
            "turned_iou": np.nan, "auc": np.nan, "cohens_d": np.nan, "n_positive": 2,
            "n_negative": 3,
        },
    ]  # fmt: skip
    return pd.DataFrame(rows)


def steps(fold, pair):
    norms = np.array([np.nan, 0.02, 0.04]) if pair else None
    table = step_table(fold, [0, 0.5, 1], pair, norms)
    score = np.array([-1.0, 0.5, 0.25]) if pair else None
    return with_decisions(table, score, None if score is None else 1 / (1 + np.exp(-score)))


@pytest.fixture
def table():
    pair = (Visit("011S0005", "bl"), Visit("022S0001", "m12"))
    return with_summary([steps(0, None), steps(1, pair)])


def test_region_is_outlined_through_its_centre(anatomy, best):
    atlas, mask = anatomy
    rng = np.random.default_rng(0)
    unit = DissectedUnit(
        best.iloc[0].to_dict() | {"chosen": "best IoU"}, *rng.random((2, 2, *mask.shape)),
        ("011S0005 bl", "022S0001 m12"),
    )  # fmt: skip
    figure = dissection_figure([unit], atlas, mask, AFFINE, GROUPS, "simulated cohort")
    outlined = [axis for axis in figure.axes if axis.images and axis.collections]
    assert len(outlined) == 6  # three planes of two cases, each with the region in it
    assert all(axis.collections[0].get_paths()[0].vertices.size for axis in outlined)
    words = " ".join(fakes.words_in(figure))
    for word in (
        "off in Hippocampus_L",
        "IoU 0.250",
        "turned 0.125",
        "CN: 011S0005 bl",
        "AUC 1.00",
    ):
        assert word in words
    limits = {plane[-1].get_clim() for plane in fakes.planes_of(figure) if len(plane) == 2}
    assert len(limits) == 1  # one colour scale for both cases
    assert figure.get_supxlabel() == "simulated cohort"


def test_interpolation_shows_the_real_ends_and_every_step(anatomy, table, tmp_path):
    _, mask = anatomy
    own = table[(table["fold"] == 1) & table["step"].notna()]
    rng = np.random.default_rng(1)
    ends = rng.random((2, 2, *mask.shape))
    mri, pet = rng.random((2, 3, *mask.shape))
    figure = interpolation_figure(
        own, table[table["step"].isna()], tuple(ends), mri, pet, mask, AFFINE, GROUPS
    )
    shown = [plane[0].get_array() for plane in fakes.planes_of(figure)]
    assert len(shown) == 10
    assert len({tuple(np.ravel(each)) for each in shown}) == 10
    words = " ".join(fakes.words_in(figure))
    for word in ("011S0005 bl", "022S0001 m12", "P(CN)", "0.73", "0.38", "0.44", "1.33", "40.0"):
        assert word in words
    save(figure, tmp_path / "figure.png")
    assert Image.open(tmp_path / "figure.png").size[0] > 800


def test_figures_say_so_when_there_is_nothing_to_show(anatomy, table):
    atlas, mask = anatomy
    none = table.iloc[:0]
    empty = interpolation_figure(none, none, None, None, None, mask, AFFINE, GROUPS)
    nothing = dissection_figure([], atlas, mask, AFFINE, GROUPS)
    for figure in (empty, nothing):
        assert "no fold has held-out visits of both groups" in figure.texts[-1].get_text()


def test_report_holds_the_sections(best, table, tmp_path):
    write_tsv(tmp_path / "dissection.tsv", best)
    write_tsv(tmp_path / "interpolation.tsv", table)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "f.png")
    made = sections(
        [tmp_path / "dissection.tsv", tmp_path / "f.png"],
        [tmp_path / "interpolation.tsv", tmp_path / "f.png"],
        ("AD", "CN"),
    )
    page = render(Report(title="T", lead="L", simulated={"adni": True}, sections=made))
    for word in ("Hippocampus_L", "0.250", "0.125", "2 / 3", "1.33", "P(CN) at the CN end", "0.73"):
        assert word in page
    assert page.count(SIMULATED_NOTE) == 1
    assert sections([], [], ("AD", "CN")) == []
    rows = interpolation_section(tmp_path / "interpolation.tsv", tmp_path / "f.png", ("AD", "CN"))
    shown = rows.listings[0].table
    assert shown["Smoothness"].to_list() == ["n/a", "1.33"]
    assert shown["Correlation with the step"].to_list() == ["n/a", "-0.50"]
    units = dissection_section(tmp_path / "dissection.tsv", tmp_path / "f.png").listings[0].table
    assert units["Region"].to_list()[0] == "Hippocampus_L"
