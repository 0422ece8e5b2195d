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


def test_intervals_are_told_of_flows_and_of_each_voxel_by_itself(finished):
    results = finished.folder / "results/dual_glow"
    table = read_tsv(results / "tables/coverage.tsv")
    assert list(table.columns) == list(COLUMNS)
    assert set(table["method"]) == {"dual_glow", "dual_glow_side", "voxel_gaussian", "voxel_t"}
    values = table.set_index(["method", "metric"])["mean"]
    draws = read_json(results / "models/dual_glow/fold-0/chosen.json")
    calibration = read_json(results / "uncertainty/dual_glow/fold-0/calibration.json")
    assert calibration["people"] == draws["validation"]
    assert len(calibration["people"]) == 1
    assert set(calibration["people"]).isdisjoint(draws["training"])
    assert not calibration["conformal"]
    # five draws make two intervals, a distribution the usual four
    for method, count in (("dual_glow", 2), ("voxel_t", 4)):
        own = values[method].index
        shares = [metric for metric in own if metric.startswith("coverage at")]
        assert len(shares) == count
        assert values[method][shares].is_monotonic_increasing
        assert values[method][shares].between(0, 100).all()
        assert np.isfinite(values[method][["CRPS", "bits per voxel", "error over sd"]]).all()
    held = read_tsv(results / "uncertainty/dual_glow/fold-0/coverage.tsv", dtype={"visit": str})
    folds = read_tsv(finished.folder / "results/datasets/linear/folds.tsv")
    tested = set(folds.loc[folds["fold"] == 0, "subject"])
    assert set(held["subject"]) <= tested


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


def test_what_was_told_is_held_against_what_would_be_there(finished):
    results = finished.folder / "results/dual_glow"
    text = {"subject": str, "visit": str}
    regions = read_tsv(results / "ages/dual_glow_side/regions.tsv", dtype=text)
    told = regions[regions["curve"] == "set age"]
    visits = read_tsv(finished.folder / "results/datasets/nonlinear/visits.tsv", dtype=text)
    for fold, own in told.groupby("fold"):
        record = results / f"models/dual_glow_side/fold-{fold}"
        learnt = visits[visits["subject"].isin(read_json(record / "chosen.json")["training"])]
        inside = own["age"].between(learnt["age"].min(), learnt["age"].max())
        assert (own["outside"].astype(bool) != inside).all()
    truth = read_tsv(results / "ages/truth.tsv", dtype=text)
    paired = visits[visits["kind"] == "paired"]
    assert set(truth["subject"]) == set(paired["subject"])
    assert len(truth) == len(paired) * (2 + 2) * 116  # two ages, two diagnoses
    table = read_tsv(results / "tables/counterfactual.tsv").set_index("metric")
    assert set(table["method"]) == {"dual_glow_side"}
    assert set(table.index) == {
        f"{told} told, {measure}"
        for told in ("age", "diagnosis")
        for measure in ("correlation over regions", "change over the true one")
    }
    assert -1 <= table.loc["diagnosis told, correlation over regions", "mean"] <= 1
    probes = read_tsv(results / "tables/probes.tsv")
    assert set(probes["method"]) == {"dual_glow", "dual_glow_side", "only_mri"}
    assert set(probes["metric"]) <= {"age", "sex", "diagnosis"}
    assert (probes.loc[probes["method"] == "only_mri", "dataset"] == "MRI itself").all()
    assert len(probes) == len(probes.drop_duplicates(["dataset", "method", "metric"]))


def test_figures_are_drawn_and_stand_in_the_report(finished):
    figures = finished.folder / "results/dual_glow/figures"
    names = {path.name for path in figures.glob("*.png")}
    assert {
        "mae.png", "ages_dual_glow_side.png", "regions_dual_glow_side.png",
        "uncertainty_dual_glow.png", "uncertainty_dual_glow_side.png", "curves_dual_glow.png",
        "synthesis_AD.png", "synthesis_MCI.png", "synthesis_CN.png",
    } <= names  # fmt: skip
    for path in figures.glob("*.png"):
        with Image.open(path) as image:
            assert image.size[0] > 300, path
    page = (finished.folder / "results/report/report.html").read_text()
    for title in ("DUAL-GLOW: age", "DUAL-GLOW: uncertainty", "Table 2: diagnosis by PET alone"):
        assert title in page
