"""From raw scans to the report in one call, past two bad scans, and nothing left to do."""

import importlib
import re

import numpy as np
import pandas as pd
import pytest
import torch
from bids_checks import errors_of

from mri2pet.evaluation.image_metrics import LIKENESS
from mri2pet.files import read_json, read_tsv

TEXT = {"subject": str, "visit": str}
COLUMNS = ["dataset", "method", "metric", "unit", "mean", "sd", "n", "p_value"]
COLUMNS += ["published_mean", "published_sd", "low", "high", "p_holm", "p_folds"]


def test_a_second_call_has_nothing_to_do(finished):
    result = finished.snakemake("-n")
    assert "Nothing to be done" in result.stdout + result.stderr


def test_bad_scans_are_listed_and_the_rest_goes_on(finished):
    excluded = read_tsv(finished.folder / "results/cohort/excluded_scans.tsv", dtype=str)
    reasons = {(row.subject, row.visit, row.modality): row.reason for row in excluded.itertuples()}
    assert "missing" in reasons[*finished.missing_slice, "MRI"]
    assert (*finished.truncated_pet, "PET") in reasons
    assert len(reasons) == 2

    visits = read_tsv(finished.folder / "results/datasets/linear/visits.tsv", dtype=TEXT)
    kinds = {(row.subject, row.visit): row.kind for row in visits.itertuples()}
    assert finished.missing_slice not in kinds
    assert kinds[finished.truncated_pet] == "mri_only"
    assert len(kinds) == 10


def test_what_comes_out_is_valid_bids_and_derivatives_have_the_names_told(finished, root, tmp_path):
    assert errors_of(finished.folder / "results/bids", tmp_path) == set()
    told = (root / "docs/data.md").read_text()
    preproc = finished.folder / "results/preproc"
    files = [path for path in preproc.rglob("sub-*_ses-*") if path.is_file()]
    endings = {path.name.split("_", 2)[2] for path in files}
    assert len(endings) > 30
    names = {ending.removesuffix(".json") for ending in endings}
    assert {name for name in names if f"`{name}" not in told} == set()


def test_dataset_holds_brains(finished):
    folder = finished.folder / "results/datasets/linear"
    visits = read_tsv(folder / "visits.tsv", dtype=TEXT)
    mri, pet = np.load(folder / "mri.npy"), np.load(folder / "pet.npy")
    mask, atlas = np.load(folder / "mask.npy"), np.load(folder / "atlas.npy")
    assert mri.shape == pet.shape == (len(visits), 64, 64, 64)
    assert set(np.unique(atlas)) == set(range(117))
    paired = (visits["kind"] == "paired").to_numpy()
    assert (pet[~paired] == 0).all()
    assert (mri[:, mask].mean(axis=1) > 0.3).all()
    assert (pet[paired][:, mask].mean(axis=1) > 0.2).all()
    assert mri.min() >= 0 and mri.max() <= 1 and pet.min() >= 0 and pet.max() <= 1


def test_the_nonlinear_space_holds_the_same_visits_warped(finished):
    spaces = {
        space: finished.folder / f"results/datasets/{space}" for space in ("linear", "nonlinear")
    }
    linear, nonlinear = (read_tsv(folder / "visits.tsv", dtype=TEXT) for folder in spaces.values())
    assert nonlinear.equals(linear)
    folder = spaces["nonlinear"]
    mri, pet = np.load(folder / "mri.npy"), np.load(folder / "pet.npy")
    mask, atlas = np.load(folder / "mask.npy"), np.load(folder / "atlas.npy")
    grid = tuple(read_json(folder / "dataset.json")["shape"])
    assert mri.shape == pet.shape == (len(nonlinear), *grid)
    assert set(np.unique(atlas)) == set(range(117))
    assert (mri[:, mask].mean(axis=1) > 0.3).all()
    assert not pet[(nonlinear["kind"] == "mri_only").to_numpy()].any()
    for sidecar in finished.folder.glob("results/preproc/sub-*/ses-*/anat/*_desc-syn_*_xfm.json"):
        measures = read_json(sidecar).get("Measures")
        if measures:
            assert measures["correlation"] > measures["affine_correlation"]


def test_no_subject_is_trained_on_and_tested(finished):
    folds = read_tsv(finished.folder / "results/datasets/linear/folds.tsv", dtype=TEXT)
    fold_of = folds.set_index("subject")["fold"]
    for fold in (0, 1):
        rows = read_tsv(
            finished.folder / f"results/gla_gan/synthesis/gla_gan/fold-{fold}/visits.tsv",
            dtype=TEXT,
        )
        tested = rows[rows["role"] == "test"]
        assert len(tested)
        assert (fold_of[tested["subject"]] == fold).all()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_tables_have_the_contracts_form_and_numbers(finished, number):
    table = read_tsv(finished.folder / f"results/gla_gan/tables/table{number}.tsv")
    assert list(table.columns)[: len(COLUMNS)] == COLUMNS
    if number == 1:
        fixed = table["method"].isin(["mean_pet", "oracle"])
        trained = table[~fixed & (table["method"] != "local_regression")]
        assert (trained["repeats"] == 1).all() and (trained["steps"] > 0).all()
        assert table.loc[fixed, ["repeats", "steps"]].isna().all(axis=None)
    assert {"gla_gan", "unet", "mean_pet", "oracle"} <= set(table["method"])
    assert table["mean"].notna().sum() >= 0.8 * len(table)
    # a part of visits with PET is not the paper's
    own = table[(table["method"] == "gla_gan") & table["dataset"].isin(["Paired", "Complete"])]
    own = own[~own["metric"].isin(["gap closed", LIKENESS.name])]
    assert len(own) and own["published_mean"].notna().all()


def test_each_part_of_table_3_is_of_the_same_people(finished):
    folder = finished.folder / "results/gla_gan"
    second, third = (read_tsv(folder / f"tables/table{number}.tsv") for number in (2, 3))
    assert {"only_mri", "mri_age_sex", "mean_pet", "oracle", "real_pet"} < set(second["method"])
    methods = third.groupby("dataset")["method"].agg(set)
    assert methods.to_dict() == {
        "Complete": set(second["method"]) - {"real_pet"},
        "Complete, visits with PET": set(second["method"]),
    }
    counts = third.groupby("dataset")["n"].agg(set)
    assert counts["Complete, visits with PET"] == set(second["n"])
    assert len(counts["Complete"]) == 1
    real = [
        table[table["method"] == "real_pet"].set_index("metric")["mean"]
        for table in (second, third)
    ]
    assert real[0].equals(real[1])


@pytest.mark.parametrize("system", ["gla_gan", "dual_glow", "gan_anomaly"])
def test_the_local_regression_is_a_model_of_every_system_of_pet(finished, system):
    folder = finished.folder / f"results/{system}"
    table = read_tsv(folder / "tables/table1.tsv")
    rows = table[table["method"] == "local_regression"]
    assert rows["mean"].notna().any() and len(rows) == len(table[table["method"] == "mean_pet"])
    history = read_tsv(folder / "models/local_regression/fold-1/history.tsv")
    assert len(history) == 1 and 0 <= history["mae"].item() < 0.2
    chosen = read_json(folder / "models/local_regression/fold-1/chosen.json")
    assert chosen["epochs"] == 1
    made = np.load(folder / "synthesis/local_regression/fold-1/pet.npy")
    assert made.min() >= 0 and made.max() <= 1
    assert made.reshape(len(made), -1).std(axis=1).min() > 0
    assert (folder / "figures/curves_local_regression.png").stat().st_size
    page = (finished.folder / "results/report/report.html").read_text()
    assert page.count("Local regression is no network") == 3


@pytest.mark.parametrize("system", ["gla_gan", "dual_glow"])
def test_regional_bias_is_of_the_people_of_the_table_of_images(finished, system):
    tables = finished.folder / f"results/{system}/tables"
    bias = read_tsv(tables / "regional_bias.tsv", dtype={"level": str})
    images = read_tsv(tables / "table1.tsv")
    assert list(bias.columns) == [*COLUMNS, "region", "by", "level"]
    own = bias[bias["metric"] == "regional bias"]
    assert set(own["method"]) == set(images["method"])
    assert {"group", "sex", "site"} <= set(own["by"])  # an ADNI label begins with the site
    assert own.loc[own["region"] == "Precuneus_L", "mean"].notna().all()
    for name in ("bias", "maps"):
        picture = finished.folder / f"results/{system}/figures/regional_{name}.png"
        assert picture.stat().st_size > 10_000


@pytest.mark.parametrize("figure", ["losses", "patches"])
def test_ablations_compare_the_base_with_its_variant_on_both_datasets(finished, figure):
    variant = {"losses": "l1_ms_ssim", "patches": "k8"}[figure]
    table = read_tsv(finished.folder / f"results/gla_gan/tables/ablation_{figure}.tsv")
    assert list(table.columns)[: len(COLUMNS)] == COLUMNS
    assert {"repeats", "repeat_sd", "steps"} <= set(table.columns)
    assert set(table["method"]) == {"gla_gan", variant}
    counts = table.groupby("dataset")["metric"].nunique()
    assert counts.to_dict() == {"Complete": 6, "Paired": 8 + 6}
    assert (finished.folder / f"results/gla_gan/figures/ablation_{figure}.png").stat().st_size


def test_variants_were_trained_with_their_change(finished):
    folder = finished.folder / "results/gla_gan/models"

    def losses(model):
        return set(read_tsv(folder / model / "fold-0/history.tsv").columns)

    def paths(model):
        weights = torch.load(folder / model / "fold-0/generator.pt", weights_only=True)
        names = [re.search(r"paths\.(\d+)\.", name) for name in flat(weights)]
        return len({found[1] for found in names if found})

    assert losses("gla_gan") - losses("l1_ms_ssim") == {"roi"}
    assert losses("l1_ms_ssim") <= losses("gla_gan")
    assert (paths("gla_gan"), paths("l1_ms_ssim"), paths("k8")) == (2, 2, 8)


def flat(state):
    """Names of weights, whatever they are wrapped in."""
    for name, value in state.items():
        yield name
        if isinstance(value, dict):
            yield from flat(value)


def test_three_groups_are_told_apart_by_every_method(finished):
    table = read_tsv(finished.folder / "results/gla_gan/tables/three_way.tsv")
    assert list(table.columns) == COLUMNS
    methods = table.groupby("dataset")["method"].agg(set)
    known = {"gla_gan", "cycle_gan", "mean_pet", "oracle", "only_mri", "mri_age_sex"}
    assert known <= methods["Complete"]
    assert methods["Paired"] == methods["Complete"] | {"real_pet"}
    assert methods["Complete, visits with PET"] == methods["Paired"]
    assert not {"k8", "l1_ms_ssim"} & methods["Complete"]
    rows = read_tsv(finished.folder / "results/gla_gan/three_way/paired/gla_gan/fold-0.tsv")
    assert set(rows["truth"]) == {"CN", "MCI", "AD"}


def test_mci_is_synthesised_but_not_counted_in_table1(finished):
    visits = read_tsv(finished.folder / "results/datasets/linear/visits.tsv", dtype=TEXT)
    paired = visits[visits["kind"] == "paired"]
    table = read_tsv(finished.folder / "results/gla_gan/tables/table1.tsv")
    assert set(table["n"]) == {paired.loc[paired["group"] != "MCI", "subject"].nunique()}
    made = [
        read_tsv(
            finished.folder / f"results/gla_gan/synthesis/gla_gan/fold-{k}/visits.tsv", dtype=TEXT
        )
        for k in (0, 1)
    ]
    assert all("MCI" in set(rows.loc[rows["role"] == "test", "group"]) for rows in made)


@pytest.mark.parametrize(("system", "space"), [
    ("gla_gan", "linear"), ("dual_glow", "nonlinear"), ("gan_anomaly", "anomaly"),
])  # fmt: skip
def test_the_best_pet_is_nearer_than_the_mean_in_every_system(finished, system, space):
    table = read_tsv(finished.folder / f"results/{system}/tables/table1.tsv")
    closed = table[table["metric"] == "gap closed"].set_index("method")
    assert set(closed.index) == set(table["method"])
    paths = (finished.folder / f"results/{system}/metrics").glob("*/fold-*.tsv")
    values = pd.concat([read_tsv(path).assign(method=path.parent.name) for path in paths])
    mae = values[values["metric"] == "MAE"].groupby(["method", "fold"])["value"].mean()
    assert (mae["oracle"] < mae["mean_pet"]).all()
    if closed.loc["oracle", "mean"] == closed.loc["oracle", "mean"]:  # else the gap is small
        assert closed.loc["oracle", "mean"] == pytest.approx(100)
        assert closed.loc["mean_pet", "mean"] == pytest.approx(0)
    visits = read_tsv(finished.folder / f"results/datasets/{space}/visits.tsv", dtype=TEXT)
    for fold in (0, 1):
        made = finished.folder / f"results/{system}/synthesis/oracle/fold-{fold}"
        rows = read_tsv(made / "visits.tsv", dtype=TEXT)
        expected = set(visits.loc[visits["kind"] == "mri_only", "subject"])
        assert set(rows.loc[rows["role"] == "mri_only", "subject"]) == expected
        assert len(list((made / "nifti").glob("*_desc-oracle_pet.nii.gz"))) == len(rows)
        assert np.load(made / "pet.npy").shape[0] == len(rows)


def test_a_pet_that_cannot_be_used_leaves_the_best_pet_in_the_pose_of_the_mri(finished):
    poses = {}
    for path in finished.folder.glob("results/simulated/oracle/sub-*/ses-*/pet/*res-64*.json"):
        subject, visit = (part.split("-", 1)[1] for part in path.parts[-4:-2])
        sidecar = read_json(path)
        poses[subject, visit] = sidecar.get("Pose", sidecar.get("Excluded"))
    assert poses[finished.truncated_pet] == "T1w"
    assert poses[finished.missing_slice]["reason"]
    kinds = {(row["subject"], row["visit"]): row["kind"] for row in finished.cohort()}
    others = set(kinds) - {finished.truncated_pet, finished.missing_slice}
    told = {"paired": "PET", "mri_only": "T1w"}
    assert {key: poses[key] for key in others} == {key: told[kinds[key]] for key in others}


def test_every_stage_left_a_sidecar_and_a_picture(finished):
    stages = {"acpc", "n4", "skullstrip", "register", "segment"}
    for study, own in (("dementia", set()), ("epilepsy", {"warp"})):
        rows = read_tsv(finished.folder / f"results/cohort/{study}.tsv", dtype=TEXT)
        for row in rows.to_dict("records"):
            visit = finished.folder / f"results/preproc/sub-{row['subject']}/ses-{row['visit']}"
            (sidecar,) = visit.glob("anat/*_desc-acpc_T1w.json")
            record = read_json(sidecar)
            assert record["Sources"] and record["GeneratedBy"]
            pictures = {path.name.split("_")[-2] for path in visit.glob("*/*_qc.png")}
            assert pictures >= stages | own, visit


def test_the_benchmark_of_accuracy_finds_all_visits_of_adni_and_no_others(
    finished, root, monkeypatch
):
    monkeypatch.syspath_prepend(root / "benchmarks")
    benchmark = importlib.import_module("preprocessing_accuracy")
    truth = finished.folder / "results/simulated/truth"
    found = {(subject, visit) for subject, visit, _ in benchmark.visits(truth)}
    assert found == {(row["subject"], row["visit"]) for row in finished.cohort()}
    assert any(path.name.startswith("EPI") for path in truth.iterdir())


def test_nothing_personal_is_left_in_bids(finished):
    for sidecar in finished.folder.glob("results/bids/**/*.json"):
        text = sidecar.read_text()
        for key in ("PatientName", "PatientBirthDate", "PatientID", "InstitutionName"):
            assert key not in text
