"""For `apply` everybody with an MRI is taken out of BIDS and ADNI, whatever else is known."""

import pandas as pd
import pytest

from mri2pet.cohorts.adni import reader as adni
from mri2pet.cohorts.bids import reader as bids
from mri2pet.cohorts.contract import validate_cohort
from mri2pet.simulation.adni_tables import write_tables
from mri2pet.simulation.people import plan_people

APPLIED = {"name": "applied", "mri_alone": True, "groups": ["CN", "AD"]}


def dataset(folder, people):
    """Write a BIDS dataset: label to its sessions, and the sessions with a PET."""
    for label, (sessions, with_pet) in people.items():
        for session in sessions:
            stem = f"sub-{label}_ses-{session}"
            files = [f"anat/{stem}_T1w.nii.gz"]
            files += [f"pet/{stem}_trc-18FFDG_pet.nii.gz"] if session in with_pet else []
            for file in files:
                path = folder / f"sub-{label}/ses-{session}" / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"not looked at" * 300)
    return folder


def read_bids(folder, schema, study=APPLIED):
    listing = bids.list_inputs(folder, study)["listing"]
    cohort, exclusions = bids.read(folder, study, listing)
    validate_cohort(cohort, schema.parent / "cohort.schema.yaml")
    return cohort, exclusions


PEOPLE = {"a": (["1", "2"], ["1"]), "b": (["1"], []), "c": (["1"], ["1"]), "d": (["1"], [])}


def test_bids_without_a_table(tmp_path, schema):
    cohort, exclusions = read_bids(dataset(tmp_path, PEOPLE), schema)
    assert list(zip(cohort["subject"], cohort["visit"], strict=True)) == [
        ("a", "1"), ("a", "2"), ("b", "1"), ("c", "1"), ("d", "1"),
    ]  # fmt: skip
    assert set(cohort["kind"]) == {"mri_only"} and cohort["pet_file"].isna().all()
    assert cohort["group"].isna().all() and exclusions.empty


def test_bids_with_groups_that_the_model_does_not_know(tmp_path, schema):
    folder = dataset(tmp_path, PEOPLE)
    rows = ["participant_id\tgroup\tage\tsex", "sub-a\tHealthy control\t70\tF"]
    rows += ["sub-b\tpatient\t61\tM", "sub-c\tAD\tn/a\tn/a"]  # nothing of d
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    cohort = read_bids(folder, schema)[0].drop_duplicates("subject").set_index("subject")
    assert list(cohort.index) == ["a", "b", "c", "d"]
    assert cohort.loc["a", "group"] == "CN" and cohort.loc["c", "group"] == "AD"
    assert cohort.loc[["b", "d"], "group"].isna().all()
    assert cohort.loc["b", "age"] == 61 and cohort.loc["b", "sex"] == "M"


def test_in_a_study_they_are_left_out_as_before(tmp_path, schema):
    folder = dataset(tmp_path, PEOPLE)
    rows = ["participant_id\tgroup", "sub-a\tCN", "sub-b\tpatient", "sub-c\tAD"]
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    cohort, exclusions = read_bids(folder, schema, {"name": "mine", "groups": ["CN", "AD"]})
    assert list(cohort["subject"]) == ["a", "c"] and set(cohort["kind"]) == {"paired"}
    assert {"b", "d"} <= set(exclusions["subject"])


@pytest.mark.parametrize("group", ["CN", "MCI", None])
def test_adni_takes_everybody(tmp_path, schema, group):
    plan = {"paired": 2, "mri_only": 1, "second_visits": 0, "groups": ["CN"]}
    people = plan_people(plan, seed=1)
    write_tables(people, 1, tmp_path)
    for person in people:
        (tmp_path / person.ptid).mkdir()
    for path in tmp_path.glob("*.csv"):
        table = pd.read_csv(path, dtype=str)
        for column in set(table) & {"Group", "DX", "DX_bl", "DX.bl"}:
            table[column] = group
        table.to_csv(path, index=False)
    cohort, exclusions = adni.read(tmp_path, APPLIED)
    validate_cohort(cohort, schema.parent / "cohort.schema.yaml")
    assert len(cohort) == 3 and set(cohort["kind"]) == {"mri_only"}
    assert exclusions.empty, "a PET that is not looked at is not left out"
    assert set(cohort["group"].dropna()) == ({"CN"} if group == "CN" else set())
