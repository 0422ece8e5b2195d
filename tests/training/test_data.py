import dataclasses

import numpy as np
import pytest
import torch

from mri2pet.datasets.brain_box import brain_box
from mri2pet.datasets.selection import synthesis_rows, training_rows
from mri2pet.errors import InputError
from mri2pet.models.registry import side_information
from mri2pet.training.data import PairBatches, load_pairs, seed_from


def test_training_rows_hold_nobody_of_the_fold(tables):
    for fold in range(3):
        rows = training_rows(*tables, fold)
        held_out = set(tables[1]["subject"][tables[1]["fold"] == fold])
        assert not held_out & set(rows["subject"])
        assert set(rows["kind"]) == {"paired"}
    assert training_rows(*tables, 1)["index"].tolist() == [0, 1, 3, 4]


def test_synthesis_rows_are_the_fold_and_all_that_have_an_mri_alone(tables):
    rows = synthesis_rows(*tables, 0)
    assert rows["index"].tolist() == [0, 1, 5, 6]
    assert rows["role"].tolist() == ["test", "test", "mri_only", "mri_only"]
    assert list(rows.columns) == [*tables[0].columns, "role"]


def test_every_paired_visit_is_tested_exactly_once(tables):
    tested = [
        index
        for fold in range(3)
        for index, role in synthesis_rows(*tables, fold)[["index", "role"]].to_numpy()
        if role == "test"
    ]
    assert sorted(tested) == [0, 1, 2, 3, 4]


def anomaly_tables(tables):
    """The same visits as the anomaly dataset has them: D is a patient, folds are of controls."""
    visits, folds = tables
    visits = visits.assign(role=["patient" if s == "D" else "control" for s in visits["subject"]])
    return visits, folds[folds["subject"].isin(["A", "B", "C"])]


def test_patients_are_neither_learnt_from_nor_synthesised(tables):
    visits, folds = anomaly_tables(tables)
    for fold in range(3):
        rows, made = training_rows(visits, folds, fold), synthesis_rows(visits, folds, fold)
        assert "D" not in {*rows["subject"], *made["subject"]}
        assert list(made.columns) == [*visits.columns]
        assert set(made["role"]) <= {"test", "mri_only"}
        assert {5, 6} <= set(made["index"])
    # a patient whose PET is excluded has an MRI alone, and is still a patient
    visits.loc[visits["subject"] == "D", "kind"] = "mri_only"
    assert "D" not in set(synthesis_rows(visits, folds, 0)["subject"])


def test_a_paired_control_without_a_fold_is_named(tables):
    visits, folds = anomaly_tables(tables)
    with pytest.raises(InputError, match="subject C has no fold"):
        training_rows(visits, folds[folds["subject"] != "C"], 0)


def test_subject_without_a_fold_is_named(tables):
    visits, folds = tables
    with pytest.raises(InputError, match="subject C has no fold"):
        training_rows(visits, folds[folds["subject"] != "C"], 0)


def test_nothing_to_train_on(tables):
    visits, folds = tables
    with pytest.raises(InputError, match="nothing to train on"):
        training_rows(visits, folds.assign(fold=0), 0)


def test_only_the_rows_volumes_are_read(dataset, tables):
    arrays = {name: np.load(dataset[name]) for name in ("source", "target")}
    rows = training_rows(*tables, 0)
    for name, array in arrays.items():
        poisoned = array.copy()
        poisoned[np.setdiff1d(np.arange(7), rows["index"])] = np.nan
        np.save(dataset[name], poisoned)
    pairs = load_pairs(**dataset, rows=rows)
    np.testing.assert_array_equal(pairs.source[:, 0], arrays["source"][[2, 3, 4]])
    mask = np.load(dataset["mask"])
    np.testing.assert_array_equal(pairs.target[:, 0], arrays["target"][[2, 3, 4]] * mask)


def test_a_volume_that_is_not_finite_is_named(dataset, tables):
    array = np.load(dataset["target"])
    array[2, 5, 5, 5] = np.inf
    np.save(dataset["target"], array)
    with pytest.raises(InputError, match=r"target\.npy: the volume of B bl"):
        load_pairs(**dataset, rows=training_rows(*tables, 0))


def seen(batches, epoch):
    return torch.cat([batch["source"] for batch in batches.epoch(epoch)])


def test_an_epoch_sees_every_pair_and_depends_on_seed_and_number_alone(pairs):
    def make(seed):
        return PairBatches(pairs, 2, seed, torch.device("cpu"))

    batches = make(1)
    sizes = [len(batch["source"]) for batch in batches.epoch(0)]
    assert sizes == [2, 2, 2]
    assert len(batches) == 3
    means = seen(batches, 0).mean(dim=(1, 2, 3, 4))
    assert set(means.tolist()) == set(pairs.source.mean(dim=(1, 2, 3, 4)).tolist())
    torch.rand(7)  # other use of the random state does not matter
    assert torch.equal(seen(make(1), 3), seen(batches, 3))
    assert not torch.equal(seen(batches, 0), seen(batches, 1))
    assert not torch.equal(seen(batches, 0), seen(make(2), 0))


def test_mri_and_pet_stay_together(pairs):
    for batch in PairBatches(pairs, 2, 1, torch.device("cpu")).epoch(0):
        assert torch.equal(batch["target"], (0.8 - 0.6 * batch["source"]) * pairs.mask)


def test_side_information_stays_with_its_pair(pairs):
    of = {float(mri.mean()): i for i, mri in enumerate(pairs.source)}
    for batch in PairBatches(pairs, 2, 1, torch.device("cpu")).epoch(0):
        rows = [of[float(mri.mean())] for mri in batch["source"]]
        for name, values in pairs.side.items():
            torch.testing.assert_close(batch["side"][name], values[rows], equal_nan=True)
    plain = dataclasses.replace(pairs, side=None)
    assert all(set(batch) == {"source", "target"} for batch in
               PairBatches(plain, 2, 1, torch.device("cpu")).epoch(0))  # fmt: skip


def test_side_information_is_part_of_the_data(pairs):
    older = {**pairs.side, "age": pairs.side["age"] + 1}
    digests = {dataclasses.replace(pairs, side=side).digest() for side in (None, pairs.side, older)}
    assert len(digests) == 3


def test_side_information_is_read_from_the_rows(dataset, tables):
    visits = tables[0].assign(
        age=[60, 61, 70, np.nan, 80, 81, 82], sex=[*"FFMMF", "M", None], group="CN"
    )
    rows = training_rows(visits, tables[1], 1)
    side = side_information({"side": {"groups": ["AD", "CN"]}})
    pairs = load_pairs(**dataset, rows=rows, side=side)
    expected = torch.tensor([60, 61, np.nan, 80])
    torch.testing.assert_close(pairs.side["age"], expected, equal_nan=True, check_dtype=False)
    assert pairs.side["sex"].tolist() == [0, 0, 1, 0]
    assert pairs.side["diagnosis"].tolist() == [1, 1, 1, 1]
    assert load_pairs(**dataset, rows=rows).side is None


def test_a_batch_is_never_larger_than_the_training_set(pairs):
    (batch,) = PairBatches(pairs, 8, 1, torch.device("cpu")).epoch(0)
    assert len(batch["source"]) == 5


def test_seeds_differ_by_model_and_fold():
    seeds = {seed_from(seed, model, fold) for seed in (1, 2) for model in "ab" for fold in (0, 1)}
    assert len(seeds) == 8
    assert seed_from(1, "a", 0) == seed_from(1, "a", 0)


def test_cropped_pairs_are_the_box_around_the_brain(dataset, tables):
    rows = training_rows(*tables, 0)
    mask = np.load(dataset["mask"])
    whole, cropped = (load_pairs(**dataset, rows=rows, crop=crop) for crop in (0, 2))
    box = brain_box(mask, 2)
    assert mask[box].size < mask.size
    for name in ("source", "target", "mask", "atlas"):
        expected = getattr(whole, name).numpy()[(..., *box)]
        np.testing.assert_array_equal(getattr(cropped, name).numpy(), expected)
