"""Trainings of one number of steps, whatever their batches: the last epoch is cut."""

import pytest
import torch

import mri2pet.training.loop as loop
from mri2pet.training.run import train_model

UNET = {"name": "unet3d", "filters": [4, 4]}


def entry(**training):
    settings = {"epochs": 4, "batch_size": 2, "learning_rate": 0.01, "schedule": "linear"}
    return {
        "recipe": "regression",
        "generator": UNET,
        "losses": {"l1": 1.0},
        "training": settings | training,
    }


@pytest.mark.parametrize(("size", "taken"), [(1, [5, 2]), (2, [3, 3, 1]), (5, [1, 1, 1, 1])])
def test_the_steps_of_all_epochs_add_up(pairs, size, taken):
    assert len(pairs.source) == 5
    _, history = train_model(entry(batch_size=size, steps=7), pairs, "unet", 0, 1)
    assert [row["steps"] for row in history] == taken


def test_the_rate_falls_to_the_end_of_the_steps_and_losses_are_means(pairs):
    _, history = train_model(entry(steps=5), pairs, "unet", 0, 1)
    assert [row["steps"] for row in history] == [3, 2]
    # linear: constant for the first half, then down to 0; the last of five steps starts at .8
    assert history[-1]["learning_rate"] == pytest.approx(0.01 * 2 * (1 - 0.8))
    assert 0 < history[-1]["l1"] < 2 * history[0]["l1"]


def test_a_stopped_training_goes_on_to_the_same_weights(pairs, tmp_path, monkeypatch):
    expected, _ = train_model(entry(steps=7), pairs, "unet", 0, 1)
    original = loop.save_checkpoint

    def save_and_stop(*given):
        original(*given)
        raise KeyboardInterrupt

    path = tmp_path / "checkpoint.pt"
    monkeypatch.setattr(loop, "save_checkpoint", save_and_stop)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train_model(entry(steps=7), pairs, "unet", 0, 1, path)
    monkeypatch.setattr(loop, "save_checkpoint", original)
    made, history = train_model(entry(steps=7), pairs, "unet", 0, 1, path)
    assert [row["steps"] for row in history] == [3, 3, 1]
    for one, other in zip(made.parameters(), expected.parameters(), strict=True):
        assert torch.equal(one, other)


def test_more_steps_than_the_epochs_have_change_nothing(pairs):
    plain, _ = train_model(entry(), pairs, "unet", 0, 1)
    other, history = train_model(entry(steps=99), pairs, "unet", 0, 1)
    assert len(history) == 4
    for one, same in zip(plain.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, same)
