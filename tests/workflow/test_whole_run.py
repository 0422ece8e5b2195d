"""From raw scans to the report in one call, past two bad scans, and nothing left to do."""

import importlib
import re

import numpy as np
import pytest
import torch
from bids_checks import errors_of

from mri2pet.files import read_json, read_tsv

TEXT = {"subject": str, "visit": str}
COLUMNS = ["dataset", "method", "metric", "unit", "mean", "sd", "n", "p_value"]
COLUMNS += ["published_mean", "published_sd"]


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
        trained = table[table["method"] != "mean_pet"]
        assert (trained["repeats"] == 1).all() and (trained["steps"] > 0).all()
        assert table.loc[table["method"] == "mean_pet", ["repeats", "steps"]].isna().all(axis=None)
    assert {"gla_gan", "unet", "mean_pet"} <= set(table["method"])
    assert table["mean"].notna().sum() >= 0.8 * len(table)
    assert table.loc[table["method"] == "gla_gan", "published_mean"].notna().all()


@pytest.mark.parametrize("figure", ["losses", "patches"])
def test_ablations_compare_the_base_with_its_variant_on_both_datasets(finished, figure):
    variant = {"losses": "l1_ms_ssim", "patches": "k8"}[figure]
    table = read_tsv(finished.folder / f"results/gla_gan/tables/ablation_{figure}.tsv")
    assert list(table.columns)[: len(COLUMNS)] == COLUMNS
    assert {"repeats", "repeat_sd", "steps"} <= set(table.columns)
    assert set(table["method"]) == {"gla_gan", variant}
    counts = table.groupby("dataset")["metric"].nunique()
    assert counts.to_dict() == {"Complete": 6, "Paired": 9}
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
    assert methods["Complete"] - methods["Paired"] == {"only_mri"}
    assert {"gla_gan", "cycle_gan", "mean_pet", "real_pet"} <= methods["Paired"]
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


def test_every_stage_left_a_sidecar_and_a_picture(finished):
    stages = {"acpc", "n4", "skullstrip", "register"}
    for study, own in (("dementia", {"segment"}), ("epilepsy", {"warp"})):
        rows = read_tsv(finished.folder / f"results/cohort/{study}.tsv", dtype=TEXT)
        for row in rows.to_dict("records"):
            visit = finished.folder / f"results/preproc/sub-{row['subject']}/ses-{row['visit']}"
            (sidecar,) = visit.glob("anat/*_desc-acpc_T1w.json")
            record = read_json(sidecar)
            assert record["Sources"] and record["GeneratedBy"]
            pictures = {path.name.split("_")[-2] for path in visit.glob("*/*_qc.png")}
            assert pictures >= stages | own, visit


def test_report_opens_offline(finished):
    page = (finished.folder / "results/report/report.html").read_text()
    assert "simulated" in page
    for address in ('src="http', "src='http", '<link rel="stylesheet" href="http'):
        assert address not in page


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
