"""Validation after every epoch: the best epoch is kept, patience ends a training, runs resume."""

import math

import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.training.loop import Validation
from mri2pet.training.run import train_model, train_recipe


class Scores:
    """Measures that were written down beforehand; remembers what it was shown."""

    def __init__(self, *scores):
        self.scores = scores
        self.shown = {}

    def __call__(self, recipe, epoch):
        assert not recipe.generator.training
        state = recipe.state_dict()
        self.shown[epoch] = {key: value.clone() for key, value in state.items()}
        return {"score": self.scores[epoch - 1], "other": 0.5}


def run(entry, pairs, scores, checkpoint=None, **kwargs):
    validation = Validation(scores, "score", **kwargs)
    fixed = {"name": "tiny", "fold": 0, "seed": 1, "device": "cpu"}
    return train_recipe(entry, pairs, checkpoint=checkpoint, validation=validation, **fixed)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture
def entry(entry):
    entry["training"] |= {"epochs": 4, "recalibrate": False}
    return entry


@pytest.mark.parametrize(
    ("scores", "higher", "best"),
    [((1, 3, 2, 0), True, 2), ((1, 3, 2, 0), False, 4), ((2, 1, 2, 0), True, 1)],
)
def test_every_network_ends_as_after_the_best_epoch(entry, pairs, scores, higher, best):
    measure = Scores(*scores)
    recipe, history = run(entry, pairs, measure, higher_is_better=higher)
    assert same(recipe.state_dict(), measure.shown[best])
    assert [row["score"] for row in history] == list(scores)
    assert {row["other"] for row in history} == {0.5}


def test_training_ends_when_patience_runs_out(entry, pairs):
    measure = Scores(1, 3, 2, 2.5)
    _, history = run(entry, pairs, measure, patience=1)
    assert [row["epoch"] for row in history] == [1, 2, 3]


def test_validation_changes_nothing_in_the_training(entry, pairs):
    fixed = {"name": "tiny", "fold": 0, "seed": 1, "device": "cpu"}
    plain, _ = train_model(entry, pairs, **fixed)
    recipe, _ = run(entry, pairs, Scores(1, 2, 3, 4))
    assert same(plain.state_dict(), recipe.generator.state_dict())


@pytest.mark.parametrize("stop_at", [2, 3, 4])
def test_a_resumed_training_keeps_the_same_epoch(entry, pairs, tmp_path, stop_at):
    expected, expected_history = run(entry, pairs, Scores(1, 3, 2, 0), patience=2)

    class StoppedError(Exception):
        pass

    class Stopping(Scores):
        def __call__(self, recipe, epoch):
            if epoch == stop_at:
                raise StoppedError
            return super().__call__(recipe, epoch)

    checkpoint = tmp_path / "checkpoint.pt"
    with pytest.raises(StoppedError):
        run(entry, pairs, Stopping(1, 3, 2, 0), checkpoint, patience=2)
    again, history = run(entry, pairs, Scores(1, 3, 2, 0), checkpoint, patience=2)
    assert same(again.state_dict(), expected.state_dict())
    assert [row["score"] for row in history] == [row["score"] for row in expected_history]


def test_a_measure_that_is_not_finite_stops_the_training(entry, pairs):
    with pytest.raises(InputError, match="the measure score is not finite in epoch 2"):
        run(entry, pairs, Scores(1, math.nan, 1, 1))


def test_a_training_goes_on_from_another_models_networks(entry, pairs):
    fixed = {"fold": 0, "seed": 1, "device": "cpu"}
    first, _ = train_recipe(entry, pairs, name="first", **fixed)
    start = {key: value.clone() for key, value in first.state_dict().items()}
    entry["training"] |= {"epochs": 1, "learning_rate": 1e-12}
    second, _ = train_recipe(entry, pairs, name="second", start=start, **fixed)
    for key, value in second.named_parameters():
        torch.testing.assert_close(value, start[key], rtol=0, atol=1e-6)


def test_networks_that_do_not_fit_are_named(entry, pairs):
    fixed = {"fold": 0, "seed": 1, "device": "cpu"}
    start = train_recipe(entry, pairs, name="first", **fixed)[0].state_dict()
    entry["generator"] = {**entry["generator"], "filters": [3, 3]}
    with pytest.raises(InputError, match="second: cannot go on from a model of other networks"):
        train_recipe(entry, pairs, name="second", start=start, **fixed)


def test_a_checkpoint_of_another_start_is_not_taken_up(entry, pairs, tmp_path):
    fixed = {"name": "tiny", "fold": 0, "seed": 1, "device": "cpu"}
    one, _ = train_recipe(entry, pairs, **fixed)
    start = {key: value.clone() for key, value in one.state_dict().items()}
    other = {key: value + 1 for key, value in start.items()}
    checkpoint = tmp_path / "checkpoint.pt"
    train_recipe(entry, pairs, start=start, checkpoint=checkpoint, **fixed)
    expected, _ = train_recipe(entry, pairs, start=other, **fixed)
    made, _ = train_recipe(entry, pairs, start=other, checkpoint=checkpoint, **fixed)
    assert same(made.state_dict(), expected.state_dict())
