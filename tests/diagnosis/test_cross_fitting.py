"""A classifier learns from PET of people whom no generator had seen; planted faults are refused."""

import shutil

import numpy as np
import pandas as pd
import pytest
from test_experiments import REGIONS, long

import fakes
from mri2pet.datasets.fold_pairs import fold_pairs, pair_name
from mri2pet.datasets.selection import synthesis_rows
from mri2pet.diagnosis.experiments import experiments
from mri2pet.diagnosis.svm import Settings, diagnose
from mri2pet.errors import InputError
from mri2pet.files import read_tsv, write_tsv

N = fakes.N_FOLDS
PAIRS = fold_pairs(N)
CHOSEN = {"groups": ("AD", "CN"), "method": "unet"}
QUICK = Settings(C=(1.0,), gamma=("scale",))


def maker(*held_out):
    """A number that tells which folds a PET's generator held out."""
    return 1000 * (1 + sum(2**fold for fold in held_out))


class Files:
    """Tables of features as the workflow leaves them; each value tells who made it, and of whom."""

    def __init__(self, folder):
        self.folder = folder
        self.visits = fakes.visits(12, 6, 3)
        self.folds = fakes.folds(self.visits)
        paired = self.visits[self.visits["kind"] == "paired"]
        real = [long(self.visits, "MRI", lambda v: v.index), long(paired, "PET", lambda v: v.index)]
        tables = {"visits": self.visits, "folds": self.folds, "real": pd.concat(real)}
        for name, table in tables.items():
            write_tsv(folder / f"{name}.tsv", table)
        for held_out in [*range(N), *PAIRS]:
            folds = held_out if isinstance(held_out, tuple) else (held_out,)
            rows = synthesis_rows(self.visits, self.folds, held_out)
            write_tsv(self.made(*folds), long(rows, "PET", lambda v: maker(*folds) + v.index))  # noqa: B023

    def made(self, *held_out):
        name = f"without-{pair_name(*held_out)}" if len(held_out) > 1 else f"fold-{held_out[0]}"
        return self.folder / f"{name}.tsv"

    def people(self, *folds):
        return set(self.folds.loc[self.folds["fold"].isin(folds), "subject"])

    def read(self, dataset="paired", pairs=PAIRS, **chosen):
        return experiments(
            **{name: self.folder / f"{name}.tsv" for name in ("visits", "folds", "real")},
            synthetic=[self.made(fold) for fold in range(N)],
            without=[self.made(*pair) for pair in pairs],
            count=N,
            dataset=dataset,
            **{**CHOSEN, **chosen},
        )


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def made_by(values):
    return values[:, 2 * REGIONS] // 1000 * 1000


@pytest.mark.parametrize("dataset", ["paired", "complete"])
def test_every_pet_is_by_a_generator_that_saw_neither_its_person_nor_the_fold_tested(
    files, dataset
):
    fold_of = files.folds.set_index("subject")["fold"]
    tested = []
    for fold, data in files.read(dataset):
        train_folds = fold_of[data.train_visits["subject"]]
        assert set(train_folds) == set(range(N)) - {fold}
        expected = [maker(fold, other) for other in train_folds]
        np.testing.assert_array_equal(made_by(data.train), expected)
        assert set(made_by(data.test)) == {maker(fold)}
        assert set(data.test_visits["subject"]) <= files.people(fold)
        np.testing.assert_array_equal(data.train[:, -1] % 1000 // 1, data.train_visits["index"])
        tested += data.test_visits["index"].to_list()
    kinds = ("paired",) if dataset == "paired" else ("paired", "mri_only")
    expected = files.visits.loc[files.visits["kind"].isin(kinds), "index"]
    assert sorted(tested) == sorted(expected)


@pytest.mark.parametrize("dataset", ["paired", "complete"])
def test_no_real_pet_has_any_influence(files, dataset):
    clean = [diagnose(data, QUICK, fold, seed=0) for fold, data in files.read(dataset)]
    real = read_tsv(files.folder / "real.tsv", dtype={"subject": str})
    real.loc[real["modality"] == "PET", "value"] = 1e6
    write_tsv(files.folder / "real.tsv", real)
    for table, (fold, data) in zip(clean, files.read(dataset), strict=True):
        pd.testing.assert_frame_equal(table, diagnose(data, QUICK, fold, seed=0))


def put_in_place(there, other):
    return lambda files: shutil.copy(files.made(*other), files.made(*there))


def add_a_visit_of_a_third_fold(files):
    """An MRI-only visit of a person whose other visits the generator may have learnt from."""
    table = read_tsv(files.made(0, 1), dtype={"subject": str})
    stranger = min(files.people(2))
    more = table.head(2 * REGIONS).assign(subject=stranger, kind="mri_only", index=99)
    write_tsv(files.made(0, 1), pd.concat([table, more]))


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        # It saw fold 1, whose people it synthesises.
        (put_in_place((0, 1), (0, 2)), "unet, folds 0 and 1: subject .* is not of them"),
        # The ordinary generators of one of the two folds: they saw the other one.
        (put_in_place((0, 1), (1,)), "unet, folds 0 and 1: .*"),
        (put_in_place((0, 2), (0,)), "unet, folds 0 and 2: .*"),
        # The test people's PET by a generator that saw them.
        (put_in_place((0,), (1,)), "unet, fold 0: subject .* is not of this fold"),
        (add_a_visit_of_a_third_fold, "unet, folds 0 and 1: subject .* is not of them"),
    ],
)
@pytest.mark.parametrize("dataset", ["paired", "complete"])
def test_pet_of_a_generator_that_saw_them_is_refused(files, dataset, plant, message):
    plant(files)
    with pytest.raises(InputError, match=message):
        list(files.read(dataset))


def test_an_ordinary_generator_in_place_of_one_without_two_folds_is_refused_by_who_is_not_there(
    files,
):
    """Its table holds people of the right fold alone: that the others lack tells of it."""
    table = read_tsv(files.made(1), dtype={"subject": str})
    write_tsv(files.made(0, 1), table[table["subject"].isin(files.people(1))])
    lost = min(files.people(0) & set(files.visits.loc[files.visits["kind"] == "paired", "subject"]))
    with pytest.raises(InputError, match=f"no PET of subject {lost}, who was to be held out"):
        list(files.read())


def test_each_pair_of_folds_has_a_table(files):
    with pytest.raises(ValueError, match="shorter"):
        list(files.read(pairs=PAIRS[:-1]))


@pytest.mark.parametrize("method", ["only_mri", "mri_age_sex", "real_pet"])
def test_what_has_no_synthetic_pet_cannot_be_learnt_from(files, method):
    with pytest.raises(InputError, match=f"{method}: it has no synthetic PET"):
        list(files.read(method=method))


def test_the_pet_of_an_untrained_method_is_that_of_each_person_s_own_fold(files):
    fold_of = files.folds.set_index("subject")["fold"]
    for _, data in files.read("complete", pairs=[], method="oracle"):
        expected = [maker(fold) for fold in fold_of[data.train_visits["subject"]]]
        np.testing.assert_array_equal(made_by(data.train), expected)


def test_a_trained_method_needs_generators_without_two_folds(files):
    with pytest.raises(InputError, match="unet, folds 0 and 1"):
        list(files.read(pairs=[]))
