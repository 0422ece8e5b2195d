"""What a network keeps in memory, counted on torch's meta device."""

import json
import subprocess
import sys

import pytest
import torch
import yaml
from snakemake.utils import update_config

from mri2pet.config.systems import system_models
from mri2pet.models.registry import build
from mri2pet.training.footprint import ALIVE, Alive, count

GIB = 2**30
SHAPE = (16, 16, 16)


def paper(root, system):
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    update_config(config, yaml.safe_load((root / f"config/paper/{system}.yaml").read_text()))
    return system_models(config, system)


def test_tensors_count_while_they_are_alive():
    with torch.device("meta"):
        known = torch.empty(100)
    with Alive([known]) as alive:
        first = known + 1
        view = first[:10]
        del first
        view.mul_(2)
        second = known + 2
        del view
        third = known.view(10, 10) + 3
        assert alive.now == 800
    assert alive.peak == 800
    del second, third
    assert alive.now == 0


def test_a_step_keeps_what_autograd_saves():
    """A row of layers without memory of their own, whose activations can be added by hand."""
    entry = {
        "recipe": "regression",
        "generator": {"name": "unet3d", "filters": [4, 4]},
        "training": {"epochs": 1, "batch_size": 2, "learning_rate": 0.1},
    }
    found = count(entry, SHAPE)
    activation = 2 * 4 * 16**3 * 4  # batch, channels, voxels, bytes
    # Eight times a convolution and its norm are kept at the finest grid or an eighth of it.
    assert 4 * activation < found["step"] < 16 * activation
    assert found["forward"] < found["step"]
    assert (
        found["parameters"]
        == found["generator"]
        == sum(value.numel() for value in build(entry["generator"]).state_dict().values())
    )


def test_every_recipe_is_counted(entries):
    for name, entry in entries.items():
        found = count(entry, SHAPE)
        assert 0 < found["generator"] <= found["parameters"], name
        assert found["step"] > 4 * found["generator"], name  # its gradients at least
        assert found["forward"] > 0, name


LARGER = ["gan", "cycle_gan", "dual_glow", "slices", "patches", "cvae", "rectified_flow"]


@pytest.mark.parametrize("name", LARGER)
def test_larger_batches_and_volumes_keep_more(entries, name):
    entry = entries[name]
    twice = {**entry, "training": {**entry["training"], "batch_size": 4}}
    small = count(entry, SHAPE)
    assert 1.5 < count(twice, SHAPE)["step"] / small["step"] < 2.5
    if "grid" not in entry["generator"]:
        large = count(entry, (32, 32, 16))
        more = {"slices": 4, "patches": 1}.get(name, 4)  # patches stay as they are
        assert 0.7 * more < large["step"] / small["step"] < 1.3 * more


def test_a_recipe_of_ones_own_counts_as_the_largest(entries):
    entry = entries["cycle_gan"]
    own = count({**entry, "recipe": "mine.Recipe"}, SHAPE)
    assert own["step"] > max(
        count({**entry, "recipe": known}, SHAPE)["step"] for known in ALIVE if known != "dual_glow"
    )


def test_gla_gan_at_paper_size_keeps_13_gib(root):
    found = count(paper(root, "gla_gan")["gla_gan"], (64, 64, 64))
    assert 13 * GIB < found["step"] < 26 * GIB
    assert found["generator"] == pytest.approx(6.96e6, rel=0.01)


def test_dual_glow_at_paper_size_is_mostly_weights(root):
    models = paper(root, "dual_glow")
    found = count(models["dual_glow_side"], (64, 96, 64))
    assert found["parameters"] == pytest.approx(525e6, rel=0.01)
    gradients = 4 * found["parameters"]
    # With checkpointing .28 GiB were kept between steps; one step's own come on top.
    assert gradients < found["step"] < gradients + 4 * GIB


def test_the_program_answers_each_question_and_says_what_it_cannot_count(root, entries):
    questions = [[entries["gan"], SHAPE], [{"recipe": "local_regression"}, SHAPE]]
    command = [sys.executable, "-m", "mri2pet.training.footprint"]
    done = subprocess.run(
        command, input=json.dumps(questions), capture_output=True, text=True, check=True
    )
    first, second = json.loads(done.stdout)
    assert first == count(entries["gan"], SHAPE)
    assert list(second) == ["error"]
