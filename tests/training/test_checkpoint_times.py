"""When checkpoints are written, and what they say of the processor that went before."""

import logging

import pytest
import torch

from mri2pet.training import checkpoint as checkpoints
from mri2pet.training import loop
from mri2pet.training.checkpoint import kind_of_processor
from mri2pet.training.run import train_recipe


@pytest.fixture
def written(monkeypatch):
    """Return the numbers of the epochs after which a checkpoint was written, an hour an epoch."""
    numbers, original = [], loop.save_checkpoint

    def save(path, identity, recipe, scaler, history, best=None):
        numbers.append(len(history))
        original(path, identity, recipe, scaler, history, best)

    monkeypatch.setattr(loop, "save_checkpoint", save)
    hours = iter(range(0, 3600 * 1000, 1800))
    monkeypatch.setattr(loop.time, "monotonic", lambda: next(hours))
    return numbers


def run(entry, pairs, path, **kwargs):
    return train_recipe(entry, pairs, "tiny", 0, 1, path, device="cpu", **kwargs)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(0, [1, 2, 3, 4, 5]), (100, [1, 3, 5]), (170, [1, 3, 5]), (1e6, [1, 5])],
)
def test_they_are_so_far_apart(entry, pairs, tmp_path, written, minutes, expected):
    entry["training"]["epochs"] = 5
    run(entry, pairs, tmp_path / "checkpoint.pt", checkpoint_minutes=minutes)
    assert written == expected


def test_the_same_weights_come_of_a_rare_one(entry, pairs, tmp_path, written, monkeypatch):
    expected, _ = run(entry, pairs, None)
    original = loop._check_finite

    def stop(losses, name, epoch, **kwargs):
        original(losses, name, epoch, **kwargs)
        if epoch == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_check_finite", stop)
        with pytest.raises(KeyboardInterrupt):
            run(entry, pairs, tmp_path / "c.pt", checkpoint_minutes=1e6)
    assert written == [1]
    recipe, history = run(entry, pairs, tmp_path / "c.pt", checkpoint_minutes=1e6)
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    weights = expected.state_dict()
    assert all(torch.equal(value, weights[key]) for key, value in recipe.state_dict().items())


def test_going_on_elsewhere_is_said(entry, pairs, tmp_path, monkeypatch, caplog):
    path = tmp_path / "c.pt"
    run(entry, pairs, path)
    assert torch.load(path, weights_only=True)["processor"] == kind_of_processor()
    with caplog.at_level(logging.WARNING):
        run(entry, pairs, path)
    assert "another kind of processor" not in caplog.text
    monkeypatch.setattr(checkpoints, "kind_of_processor", lambda: "Other, AVX2, 0")
    with caplog.at_level(logging.WARNING):
        run(entry, pairs, path)
    assert "another kind of processor" in caplog.text and kind_of_processor() in caplog.text


def test_a_checkpoint_that_says_no_processor_is_taken_up(entry, pairs, tmp_path, caplog):
    path = tmp_path / "c.pt"
    run(entry, pairs, path)
    content = torch.load(path, weights_only=True)
    del content["processor"]
    torch.save(content, path)
    with caplog.at_level(logging.INFO):
        run(entry, pairs, path)
    assert "going on after epoch 4" in caplog.text and "processor" not in caplog.text


@pytest.mark.parametrize(
    ("told", "capability"),
    [(" Some CPU fpu avx2 avx512f", "AVX512"), (" Some CPU fpu avx2", "AVX2"), ("arm64 ", "NEON")],
)
def test_kinds_differ_by_name_and_by_what_they_can(monkeypatch, told, capability):
    monkeypatch.setattr(checkpoints, "processor", lambda: told)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    kind_of_processor.cache_clear()
    named = kind_of_processor()
    kind_of_processor.cache_clear()
    assert capability in named and "fpu" not in named
    assert named.startswith(told.strip().split(" fpu")[0])
