"""What the small whole run leaves of DUAL-GLOW: tables, figures and sections of the report."""

import numpy as np
import pytest
from PIL import Image

from mri2pet.evaluation.image_metrics import LIKENESS, WHOLE
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.files import read_json, read_tsv

METRICS = {
    "table1": {
        name + scope for name in ("CorCoef", "PSNR", "SSIM", "MAE") for scope in ("", WHOLE)
    }
    | {"gap closed", LIKENESS.name},
    "table2": {
        "accuracy", "false negative rate", "false positive rate", "false negatives of all",
        "false positives of all", "AUC",
    },
}  # fmt: skip


@pytest.mark.parametrize("number", ["table1", "table2"])
def test_tables_have_the_form_of_all_and_published_values(finished, number):
    table = read_tsv(finished.folder / f"results/dual_glow/tables/{number}.tsv")
    assert list(table.columns)[: len(COLUMNS)] == list(COLUMNS)
    assert set(table["metric"]) == METRICS[number]
    assert {"dual_glow", "mean_pet", "oracle"} <= set(table["method"])
    # What is told the diagnosis must not be asked for it.
    assert ("dual_glow_side" in set(table["method"])) == (number == "table1")
    without_pet = {"only_mri", "mri_age_sex", "real_pet"}
    assert without_pet & set(table["method"]) == (without_pet if number == "table2" else set())
    own = table[table["method"] == "dual_glow"].set_index("metric")
    assert own["mean"].notna().all()
    # of the MAE nothing is printed, in neither scope
    unprinted = {
        "table1": {"MAE", f"MAE{WHOLE}", "gap closed", LIKENESS.name},
        "table2": {"AUC"},
    }[number]
    assert set(own.index[own["published_mean"].isna()]) == unprinted


def test_shares_of_all_add_up_to_one(finished):
    table = read_tsv(finished.folder / "results/dual_glow/tables/table2.tsv")
    means = table.pivot(index="method", columns="metric", values="mean")
    total = means["accuracy"] + means["false negatives of all"] + means["false positives of all"]
    np.testing.assert_allclose(total, 1)


def test_ages_are_those_of_the_configuration_and_slopes_follow_from_them(finished):
    results = finished.folder / "results/dual_glow"
    person = read_json(results / "ages/dual_glow_side/fold-0/person.json")
    volumes = np.load(results / "ages/dual_glow_side/fold-0/person.npy")
    mask = np.load(finished.folder / "results/datasets/nonlinear/mask.npy")
    assert person["ages"] == [50, 90]
    assert volumes.shape == (2, *mask.shape)
    assert np.ptp(volumes[0]) > 0
    regions = read_tsv(results / "ages/dual_glow_side/regions.tsv", dtype={"visit": str})
    own = regions[
        (regions["subject"] == person["subject"])
        & (regions["visit"] == person["visit"])
        & (regions["region"] == "Brain")
    ]
    told = own[own["curve"] == "set age"].set_index("age")["value"]
    expected = [float(volume[mask].mean()) for volume in volumes]
    np.testing.assert_allclose(told.loc[[50, 90]], expected, rtol=1e-5)
    slopes = read_tsv(results / "tables/ages.tsv").set_index(["curve", "method", "region", "group"])
    curves = regions[(regions["curve"] == "set age") & (regions["region"] == "Brain")]
    by_age = curves.groupby(["fold", "subject", "age"])["value"].mean().unstack()
    slope = ((by_age[90] - by_age[50]) / 4).groupby(level="fold").mean().mean()
    found = slopes.loc[("set age", "dual_glow_side", "Brain", "All"), "slope"]
    assert found == pytest.approx(slope, rel=1e-4)
    assert ("own age", "real_pet", "Brain", "CN") in slopes.index


def test_figures_are_drawn_and_stand_in_the_report(finished):
    figures = finished.folder / "results/dual_glow/figures"
    names = {path.name for path in figures.glob("*.png")}
    assert {
        "mae.png", "ages_dual_glow_side.png", "regions_dual_glow_side.png",
        "uncertainty_dual_glow.png", "uncertainty_dual_glow_side.png", "curves_dual_glow.png",
        "synthesis_AD.png", "synthesis_CN.png",
    } <= names  # fmt: skip
    for path in figures.glob("*.png"):
        with Image.open(path) as image:
            assert image.size[0] > 300, path
    page = (finished.folder / "results/report/report.html").read_text()
    for title in ("DUAL-GLOW: age", "DUAL-GLOW: uncertainty", "Table 2: diagnosis by PET alone"):
        assert title in page
