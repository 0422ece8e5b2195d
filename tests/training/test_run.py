import json
import logging
import math
import signal
import subprocess
import sys

import pandas as pd
import pytest
import torch

import mri2pet.training.loop as loop
from mri2pet.errors import InputError
from mri2pet.synthesis.whole_volume import load_generator
from mri2pet.training.recipes import RECIPES
from mri2pet.training.run import save_training, train_model

# entries beside one of each recipe
MORE = ("lobes", "cgan", "pix2pix", "dual_glow_side", "slices", "patches")

# Trains in a process of its own, which the test may kill; prints a line an epoch.
PROGRAM = """
import json, logging, sys
import torch
from mri2pet.training.data import Pairs
from mri2pet.training.run import train_model

folder, entry = sys.argv[1], json.loads(sys.argv[2])
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
pairs = Pairs(**torch.load(f"{folder}/pairs.pt"))
train_model(entry, pairs, "tiny", 0, 1, f"{folder}/checkpoint.pt", device="cpu")
"""


def run(entry, pairs, checkpoint=None, **kwargs):
    kwargs = {"name": "tiny", "fold": 0, "seed": 1, "device": "cpu", **kwargs}
    return train_model(entry, pairs, checkpoint=checkpoint, **kwargs)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.values(), b.values(), strict=True))


def without_seconds(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


class StoppedError(Exception):
    pass


def stop_after(monkeypatch, steps):
    """Let training break off after some steps."""
    original, taken = loop.train, []

    def train(recipe, *args, **kwargs):
        step = recipe.step

        def counted(batch, precision):
            if len(taken) == steps:
                raise StoppedError
            taken.append(1)
            return step(batch, precision)

        monkeypatch.setattr(recipe, "step", counted, raising=False)
        return original(recipe, *args, **kwargs)

    monkeypatch.setattr("mri2pet.training.run.train", train)


def test_training_learns_and_repeats_itself(entry, pairs):
    entry["recipe"], entry["losses"] = "regression", {"l1": 1}
    entry["training"] |= {"epochs": 12, "learning_rate": 0.03}
    generator, history = run(entry, pairs)
    assert history[-1]["l1"] < 0.5 * history[0]["l1"]
    again, repeated = run(entry, pairs)
    assert same(generator.state_dict(), again.state_dict())
    assert without_seconds(history) == without_seconds(repeated)
    # In evaluation mode, too, the result is better than the mean PET.
    predicted = generator(pairs.source).detach() * pairs.mask
    error = (predicted - pairs.target).abs().mean()
    assert error < 0.5 * (pairs.target.mean(dim=0) - pairs.target).abs().mean()
    assert not generator.training


def test_history_has_every_loss_learning_rate_and_time(entry, pairs):
    _, history = run(entry, pairs)
    columns = "epoch generator adversarial l1 ms_ssim roi discriminator learning_rate steps seconds"
    assert [list(row) for row in history] == [columns.split()] * 4
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert all(math.isfinite(value) for row in history for value in row.values())


@pytest.mark.parametrize("change", [{"seed": 2}, {"name": "other"}, {"fold": 1}])
def test_weights_are_seeded_by_seed_model_and_fold(entry, pairs, change):
    entry["training"] |= {"epochs": 1, "learning_rate": 1e-9}
    first, _ = run(entry, pairs)
    second, _ = run(entry, pairs, **change)
    assert not torch.allclose(first.fusion[0].weight, second.fusion[0].weight, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "steps"), [("gan", 3), *((name, 7) for name in (*RECIPES, *MORE))]
)
def test_resumed_training_ends_with_the_same_weights(
    entries, lobed, tmp_path, monkeypatch, name, steps
):
    entry, pairs = entries[name], lobed
    expected, expected_history = run(entry, pairs)
    checkpoint = tmp_path / "checkpoint.pt"
    with monkeypatch.context() as patch:
        stop_after(patch, steps)
        with pytest.raises(StoppedError):
            run(entry, pairs, checkpoint)
    generator, history = run(entry, pairs, checkpoint)
    assert same(generator.state_dict(), expected.state_dict())
    assert without_seconds(history) == without_seconds(expected_history)


@pytest.mark.parametrize("name", [*RECIPES, *MORE])
def test_every_recipe_leaves_a_generator_that_synthesises_alone(entries, lobed, tmp_path, name):
    entry = entries[name]
    entry["training"]["epochs"] = 1
    generator, history = run(entry, lobed)
    files = [tmp_path / file for file in ("generator.pt", "history.tsv", "curve.png")]
    save_training(generator, history, name, *files)
    loaded = load_generator(entry["generator"], files[0])
    # A generator of slices takes some of them as channels.
    seen = lobed.source[:, 0, :, :, :3].movedim(-1, 1) if name == "slices" else lobed.source
    assert torch.equal(loaded(seen), generator(seen))


def test_killed_training_resumes_to_the_same_weights(entry, pairs, tmp_path, caplog):
    entry["training"]["epochs"] = 8
    expected, _ = run(entry, pairs)
    torch.save(vars(pairs), tmp_path / "pairs.pt")
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), json.dumps(entry)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if "epoch 3 of 8" in line:
                process.kill()
                break
    assert process.returncode == -signal.SIGKILL
    caplog.clear()
    with caplog.at_level(logging.INFO):
        generator, history = run(entry, pairs, tmp_path / "checkpoint.pt")
    assert "going on after epoch" in caplog.text
    assert "epoch 1 of 8" not in caplog.text
    assert len(history) == 8
    assert same(generator.state_dict(), expected.state_dict())


@pytest.mark.parametrize("change", ["config", "seed", "data", "damage"])
def test_a_checkpoint_of_another_run_is_not_taken_up(entry, pairs, tmp_path, caplog, change):
    checkpoint = tmp_path / "checkpoint.pt"
    kwargs = {}
    run(entry, pairs, checkpoint)
    if change == "config":
        entry["losses"]["l1"] = 2.0
    elif change == "seed":
        kwargs["seed"] = 2
    elif change == "data":
        pairs.target[0, 0, 8, 8, 8] = 0.123
    else:
        checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with caplog.at_level(logging.WARNING):
        _, history = run(entry, pairs, checkpoint, **kwargs)
    assert "training starts anew" in caplog.text
    assert len(history) == 4
    _, expected = run(entry, pairs, **kwargs)
    assert without_seconds(history) == without_seconds(expected)


def test_checkpoint_loads_without_pickled_code(entry, pairs, tmp_path):
    run(entry, pairs, tmp_path / "checkpoint.pt")
    content = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert len(content["history"]) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_loss_that_is_not_finite_stops_and_leaves_the_last_good_checkpoint(
    entry, pairs, tmp_path, monkeypatch
):
    checkpoint = tmp_path / "checkpoint.pt"
    original = loop._check_finite

    def poison(losses, name, epoch):
        original({**losses, "roi": math.nan} if epoch == 3 else losses, name, epoch)

    monkeypatch.setattr(loop, "_check_finite", poison)
    with pytest.raises(InputError, match="tiny, fold 0: the loss roi is not finite in epoch 3"):
        run(entry, pairs, checkpoint)
    assert len(torch.load(checkpoint)["history"]) == 2


def test_diverging_training_is_stopped(entry, pairs):
    entry["training"] |= {"learning_rate": 1e30, "schedule": "constant"}
    with pytest.raises(InputError, match=r"not finite in epoch \d; try a lower"):
        run(entry, pairs)


def test_channels_last_changes_no_result_beyond_rounding(entry, pairs):
    entry["training"] |= {"epochs": 1, "batch_size": 5, "recalibrate": False}
    results = []
    for layout in (True, False):
        entry["training"]["channels_last"] = layout
        _, history = run(entry, pairs)
        results.append(history[0])
    for key in ("generator", "discriminator"):
        assert results[0][key] == pytest.approx(results[1][key], rel=1e-4)


def test_files_of_a_training(entry, pairs, tmp_path):
    generator, history = run(entry, pairs)
    files = [tmp_path / name for name in ("generator.pt", "history.tsv", "curve.png")]
    save_training(generator, history, "Tiny", *files)
    assert same(torch.load(files[0], weights_only=True), generator.state_dict())
    table = pd.read_csv(files[1], sep="\t")
    assert table["l1"].tolist() == pytest.approx([row["l1"] for row in history])
    assert files[2].read_bytes().startswith(b"\x89PNG")
