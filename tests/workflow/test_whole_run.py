"""From raw scans to the report in one call, past two bad scans, and nothing left to do."""

import numpy as np
import pytest

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
    assert len(kinds) == 7


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
    assert list(table.columns) == COLUMNS
    assert {"gla_gan", "unet", "mean_pet"} <= set(table["method"])
    assert table["mean"].notna().sum() >= 0.8 * len(table)
    assert table.loc[table["method"] == "gla_gan", "published_mean"].notna().all()


def test_every_stage_left_a_sidecar_and_a_picture(finished):
    for sidecar in finished.folder.glob("results/preproc/sub-*/ses-*/anat/*_desc-acpc_T1w.json"):
        record = read_json(sidecar)
        assert record["Sources"] and record["GeneratedBy"]
        visit = sidecar.parent.parent
        pictures = sorted(path.name.split("_")[-2] for path in visit.glob("*/*_qc.png"))
        assert {"acpc", "n4", "segment", "skullstrip"} <= set(pictures)


def test_report_opens_offline(finished):
    page = (finished.folder / "results/report/report.html").read_text()
    assert "simulated" in page
    for address in ('src="http', "src='http", '<link rel="stylesheet" href="http'):
        assert address not in page


def test_nothing_personal_is_left_in_bids(finished):
    for sidecar in finished.folder.glob("results/bids/**/*.json"):
        text = sidecar.read_text()
        for key in ("PatientName", "PatientBirthDate", "PatientID", "InstitutionName"):
            assert key not in text
