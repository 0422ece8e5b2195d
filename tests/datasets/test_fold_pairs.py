"""Trainings without two folds: which there are, who is in them, and whether people suffice."""

import json

import numpy as np
import pandas as pd
import pytest

import fakes
from mri2pet.datasets.fold_pairs import check_pairs, fold_pairs, pair_name
from mri2pet.datasets.folds import make_folds
from mri2pet.datasets.selection import held_out, refuse_seen, synthesis_rows, training_rows
from mri2pet.errors import InputError


@pytest.mark.parametrize("n", [3, 5, 10])
def test_every_test_fold_and_training_fold_have_one_training(n):
    pairs = fold_pairs(n)
    assert len(pairs) == len(set(pairs)) == n * (n - 1) // 2
    names = {pair_name(*pair) for pair in pairs}
    assert names == {pair_name(k, j) for k in range(n) for j in range(n) if j != k}


def test_folds_held_out_are_read_from_a_file_s_name():
    assert held_out("2") == 2
    assert held_out(pair_name(10, 2)) == (2, 10)


@pytest.fixture
def tables():
    visits = fakes.visits(12, 6, 4)
    # A PET that failed: an MRI-only visit of a person whose other visit is paired.
    visits.loc[visits["visit"].eq("m12") & visits["subject"].eq("000S1000"), "kind"] = "mri_only"
    return visits, fakes.folds(visits)


@pytest.mark.parametrize("pair", fold_pairs(3))
def test_a_generator_without_two_folds_learns_from_nobody_whom_it_synthesises(tables, pair):
    visits, folds = tables
    inside = set(folds.loc[folds["fold"].isin(pair), "subject"])
    learnt, made = training_rows(*tables, pair), synthesis_rows(*tables, pair)
    paired = visits[visits["kind"] == "paired"]
    assert set(learnt["index"]) == set(paired.loc[~paired["subject"].isin(inside), "index"])
    assert set(made["index"]) == set(visits.loc[visits["subject"].isin(inside), "index"])
    assert not set(learnt["subject"]) & set(made["subject"])
    assert (made["role"] == made["kind"].map({"paired": "test", "mri_only": "mri_only"})).all()


def test_one_fold_s_generator_still_synthesises_all_that_have_an_mri_alone(tables):
    visits, _ = tables
    made = synthesis_rows(*tables, 0)
    assert set(visits.loc[visits["kind"] == "mri_only", "index"]) <= set(made["index"])


@pytest.mark.parametrize("part", ["training", "validation"])
@pytest.mark.parametrize("fold", [1, (0, 1)])
def test_a_generator_that_has_seen_a_person_does_not_synthesise_for_them(tables, part, fold):
    rows = synthesis_rows(*tables, fold)
    learnt = training_rows(*tables, fold)["subject"].unique()
    seen = {"training": list(learnt), "validation": []}
    refuse_seen(rows, seen, "unet")
    planted = min(rows.loc[rows["role"] == "test", "subject"])
    with pytest.raises(InputError, match=f"unet: .* trained on subject {planted}"):
        refuse_seen(rows, seen | {part: [*seen[part], planted]}, "unet")


def test_a_study_that_is_split_once_is_judged_by_its_people_to_test():
    rows = pd.DataFrame({"subject": ["a", "b"], "split": ["val", "test"]})
    refuse_seen(rows, {"training": ["c"], "validation": ["a"]}, "g1")
    with pytest.raises(InputError, match="trained on subject b"):
        refuse_seen(rows, {"training": ["b"]}, "g1")


def people(**groups):
    rows = [
        (f"{group}{n}", group, "paired") for group, count in groups.items() for n in range(count)
    ]
    return pd.DataFrame(rows, columns=["subject", "group", "kind"])


def test_two_folds_must_leave_people_to_learn_from():
    known = ("CN", "MCI", "AD")
    folds = make_folds(people(CN=3, MCI=3, AD=3), 3, 1, known)
    check_pairs(folds, [], "key")
    with pytest.raises(InputError, match=r"key: without folds 0 and 1, 1 people of CN .*: \[\]"):
        check_pairs(folds, ["CN"], "key")
    more = make_folds(people(CN=6, MCI=3, AD=3), 3, 1, known)
    check_pairs(more, ["CN"], "key")
    without_pet = folds.assign(kind=["mri_only"] * 8 + ["paired"])
    with pytest.raises(InputError, match="without folds"):
        check_pairs(without_pet, [], "key")


@pytest.mark.parametrize("pair", fold_pairs(3))
def test_the_mean_pet_without_two_folds_is_that_of_the_third(tmp_path, monkeypatch, pair):
    monkeypatch.chdir(tmp_path)
    visits = fakes.make_run(tmp_path)
    dataset, made = tmp_path / "results/datasets/linear", tmp_path / "made"
    given = {name: dataset / f"{name}.tsv" for name in ("visits", "folds")}
    given |= {name: dataset / f"{name}.npy" for name in ("pet", "seen", "mask")}
    outputs = {"made": made / "pet.npy", "visits": made / "visits.tsv", "nifti": made / "nifti"}
    fakes.run_script(
        "mean_pet",
        given | {"description": dataset / "dataset.json"},
        outputs,
        tmp_path / "log",
        {"fold": pair_name(*pair), "system": "gla_gan"},
        groups=[],
        space="space-x",
        tracer="18FFDG",
    )
    folds = fakes.folds(visits).set_index("subject")["fold"]
    rows = pd.read_csv(outputs["visits"], sep="\t", dtype={"subject": str})
    assert set(folds[rows["subject"]]) == set(pair)
    learnt = visits[(visits["kind"] == "paired") & ~visits["subject"].map(folds).isin(pair)]
    expected = np.load(given["pet"])[learnt["index"]].mean(axis=0) * np.load(given["mask"])
    volumes = np.load(outputs["made"])
    assert len(volumes) == len(rows)
    np.testing.assert_allclose(volumes[0], expected, atol=1e-6)
    sidecar = next(outputs["nifti"].glob("sub-*.json"))
    assert json.loads(sidecar.read_text())["Model"] == "mean_pet"
