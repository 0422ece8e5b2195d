"""The table of what was measured of every scan, beside the limits that held for it."""

import pandas as pd
import pytest

import fakes
from mri2pet.files import read_tsv, write_json
from mri2pet.reporting.html import Report, render
from mri2pet.reporting.qc_measures import COLUMNS, qc_measures, qc_view


def sidecars(folder):
    limits = {"min_brain_ml": 800, "max_brain_ml": 2200, "min_brain_seen": 0.98}
    records = {
        "anat/sub-A_ses-bl_qc.json": {"Measures": {"brain_ml": 1400.4}, "Limits": limits},
        "anat/sub-B_ses-bl_qc.json": {"Excluded": {"stage": "qc", "reason": "no T1"}},
        "pet/sub-A_ses-bl_space-MNI152_res-2_trc-18FFDG_pet.json": {
            "Measures": {"brain_seen": 0.991, "reference_mean": 4857.9},
            "Limits": limits,
        },
        "pet/sub-A_ses-bl_space-MNI152SyN_res-1p5_trc-18FFDG_pet.json": {
            "Measures": {"brain_seen": 0.99}
        },
    }
    for name, record in records.items():
        (folder / name).parent.mkdir(exist_ok=True)
        write_json(folder / name, record)
    return [folder / name for name in records]


def test_every_measure_stands_beside_its_limits(tmp_path):
    paths = sidecars(tmp_path)
    made = {"table": tmp_path / "qc.tsv"}
    fakes.run_script("qc_table", {str(i): p for i, p in enumerate(paths)}, made, tmp_path / "log")
    table = read_tsv(tmp_path / "qc.tsv")
    assert tuple(table.columns) == COLUMNS
    pd.testing.assert_frame_equal(table, qc_measures(paths), check_dtype=False)
    own = table.set_index(["modality", "space", "measure"])
    volume = own.loc[("MRI", "MNI152-2", "brain_ml")]
    assert (volume["value"], volume["lowest"], volume["highest"]) == (1400.4, 800, 2200)
    seen = own.loc[("PET", "MNI152-2", "brain_seen")]
    assert seen["lowest"] == 0.98 and pd.isna(seen["highest"])
    assert own.loc[("PET", "MNI152-2", "reference_mean")][["lowest", "highest"]].isna().all()
    assert own.loc[("PET", "MNI152SyN-1p5", "brain_seen")]["value"] == 0.99
    assert set(table["subject"]) == {"A"}


def test_the_page_shows_a_row_a_scan(tmp_path):
    table = qc_measures(sidecars(tmp_path))
    pets = qc_view(table, "PET")
    heads = ["Subject", "Visit", "Space", "brain seen ≥ 0.98", "reference mean"]
    assert list(pets.columns) == heads and len(pets) == 2
    assert pets.iloc[0].tolist() == ["A", "bl", "MNI152-2", "0.991", "4858"]
    assert list(qc_view(table, "MRI").columns)[-1] == "brain ml ≥ 800 ≤ 2200"
    assert qc_view(table[:0], "PET").empty
    measures = {name: qc_view(table, name) for name in ("MRI", "PET")}
    page = render(Report(title="T", lead="L", simulated={"adni": True}, measures=measures))
    assert "brain seen ≥ 0.98" in page and "0.991" in page and "qc.tsv" in page
    assert "qc.tsv" not in render(Report(title="T", lead="L", simulated={"adni": True}))


@pytest.mark.parametrize("columns", [[], COLUMNS])
def test_a_run_that_has_measured_nothing_shows_no_row(columns):
    assert qc_view(pd.DataFrame(columns=list(columns)), "PET").empty
