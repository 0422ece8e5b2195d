import dataclasses

import numpy as np
import pytest
import torch

import mri2pet.training.loop as loop
from mri2pet.datasets.parts import Parts
from mri2pet.datasets.selection import split_validation, training_rows
from mri2pet.errors import InputError
from mri2pet.evaluation.image_metrics import ssim
from mri2pet.training.held_out import HeldOutSsim, ssim_of
from mri2pet.training.run import train_model
from mri2pet.training.validation import choose, validation_of


def split(pairs):
    """Three people to train on, two to validate on."""
    parts = [
        dataclasses.replace(pairs, source=pairs.source[rows], target=pairs.target[rows], side=None)
        for rows in (slice(0, 3), slice(3, 5))
    ]
    return parts


def run(entry, pairs, checkpoint=None, patience=0):
    training, held = split(pairs)
    parts = Parts.from_config(entry["parts"]) if "parts" in entry else None
    validation = loop.Validation(HeldOutSsim(held, parts), HeldOutSsim.KEY, patience=patience)
    return train_model(
        entry, training, "tiny", 0, 1, checkpoint, device="cpu", validation=validation
    )


@pytest.mark.parametrize("name", ["slices", "patches", "lsgan"])
def test_history_has_the_validation_and_the_generator_its_best_epoch(entries, pairs, name):
    generator, history = run(entries[name], pairs)
    scores = [row["validation_ssim"] for row in history]
    assert len(set(scores)) == 4
    again, shorter = run(entries[name], pairs, patience=1)
    assert [row["validation_ssim"] for row in shorter] == scores[: len(shorter)]
    best = int(np.argmax(scores[: len(shorter)]))
    if best == int(np.argmax(scores)):
        for a, b in zip(generator.parameters(), again.parameters(), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("name", ["slices", "patches"])
@pytest.mark.parametrize("patience", [0, 2])
def test_resumed_training_stops_where_an_uninterrupted_one_does(
    entries, pairs, tmp_path, monkeypatch, name, patience
):
    entry = {**entries[name]}
    entry["training"] = {**entry["training"], "epochs": 6}
    expected, expected_history = run(entry, pairs, patience=patience)

    original = loop.save_checkpoint

    def save_and_stop(path, identity, recipe, scaler, history, best):
        original(path, identity, recipe, scaler, history, best)
        if len(history) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "save_checkpoint", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            run(entry, pairs, tmp_path / "checkpoint.pt", patience)
    generator, history = run(entry, pairs, tmp_path / "checkpoint.pt", patience)
    for a, b in zip(generator.parameters(), expected.parameters(), strict=True):
        assert torch.equal(a, b)
    np.testing.assert_equal(
        [row["validation_ssim"] for row in history],
        [row["validation_ssim"] for row in expected_history],
    )


def test_the_ssim_is_that_of_the_tables():
    rng = np.random.default_rng(0)
    real = rng.random((20, 22, 24)).astype(np.float32)
    made = np.clip(real + rng.normal(0, 0.1, real.shape), 0, 1).astype(np.float32)
    mask = np.zeros(real.shape, bool)
    mask[5:-5, 5:-5, 5:-5] = True
    assert 100 * ssim_of(real, made, mask) == pytest.approx(ssim(real, made, mask), rel=1e-4)
    assert ssim_of(real, real, mask) == pytest.approx(1)


@pytest.mark.parametrize("name", ["slices", "patches", "lsgan"])
def test_epoch_and_smoothing_are_chosen_on_the_people_held_out(entries, pairs, name):
    training, held = split(pairs)
    entry, settings = entries[name], {"patience": 0, "fwhm_mm": [0, 2, 4]}
    validation = validation_of(held, entry, settings)
    generator, history = train_model(
        entry, training, "tiny", 0, 1, device="cpu", validation=validation
    )
    chosen = choose(generator, history, held, entry, settings, (1.0, 1.0, 1.0))
    scores = [row["validation_ssim"] for row in history]
    assert chosen["epochs"] == len(history) == 4
    assert chosen["epoch"] == int(np.argmax(scores)) + 1
    # without smoothing it is the score of the epoch that was kept
    assert chosen["smoothing_ssim"]["0"] == pytest.approx(max(scores), abs=1e-5)
    best = max(chosen["smoothing_ssim"], key=chosen["smoothing_ssim"].get)
    assert chosen["smoothing_fwhm_mm"] == float(best)


def test_without_people_held_out_the_last_epoch_is_kept_unsmoothed(entries, pairs):
    assert validation_of(None, entries["slices"], {}) is None
    chosen = choose(None, [{}] * 7, None, entries["slices"], {}, (1.0, 1.0, 1.0))
    assert chosen == {"epochs": 7, "epoch": 7, "smoothing_fwhm_mm": 0.0}


def test_validation_people_are_of_the_training_folds_with_all_their_visits(tables):
    rows = training_rows(*tables, 2)  # A with two visits and B
    training, validation = split_validation(rows, 1, seed=1)
    assert len(set(training["subject"]) & set(validation["subject"])) == 0
    assert len(training) + len(validation) == len(rows)
    assert validation["subject"].nunique() == 1
    shuffled = split_validation(rows.sample(frac=1, random_state=0), 1, seed=1)[1]
    assert set(shuffled["subject"]) == set(validation["subject"])
    assert split_validation(rows, 0, seed=1)[1].empty


def test_somebody_must_be_left_to_train_on(tables):
    with pytest.raises(InputError, match="2 of 2 people of the training folds leave nobody"):
        split_validation(training_rows(*tables, 2), 2, seed=1)
