"""A loss is added by CONTRIBUTING's list: its function, and its weight in a model's entry."""

import pytest
import torch

import mri2pet.training
from mri2pet.errors import InputError
from mri2pet.training.losses import SynthesisLoss
from mri2pet.training.recipes import check_entry, loss_symbols

LOSS = '''"""Two losses of one's own."""

import torch
from torch import nn


def peak(predicted, real, power=4):
    """Mean of a power of the difference."""
    return (predicted.float() - real.float()).abs().pow(power).mean()


class OneRegion(nn.Module):
    """Mean absolute difference in the region of label 2."""

    def __init__(self, labels):
        super().__init__()
        self.register_buffer("where", labels == 2, persistent=False)

    def forward(self, predicted, real):
        """Return the loss of volumes (B, 1, X, Y, Z)."""
        return (predicted - real)[..., self.where].abs().mean()
'''
FILE = "src/mri2pet/training/toy_losses.py"
UNET = """\
      generator: {{name: unet3d, filters: [4, 8, 16, 32]}}
      losses: {{{}}}
      training: {{steps: 600"""


@pytest.fixture
def added(copy):
    copy.write(FILE, LOSS)
    new = "l1: 1.0, toy_losses.peak: {weight: 0.5, power: 2}, toy_losses.OneRegion: 1.0"
    copy.replace("config/config.yaml", UNET.format("l1: 1.0"), UNET.format(new))
    return copy


def test_a_loss_is_its_function_and_its_weight_in_an_entry(added):
    added.held_by("loss")
    made = "results/gla_gan/models/unet/fold-0/generator.pt"
    assert f"output: {made}" in added.snakemake("-n", made, "--config", "systems=[gla_gan]")


def test_losses_of_ones_own_are_trained_on(added, room, tiny_entry, trained):
    room(mri2pet.training)
    tiny_entry["losses"] |= {
        "toy_losses.peak": {"weight": 0.5, "power": 2},
        "toy_losses.OneRegion": 2.0,
    }
    check_entry("models.toy", tiny_entry)
    _, history = trained(tiny_entry)
    last = history[-1]
    total = last["l1"] + 0.5 * last["toy_losses.peak"] + 2 * last["toy_losses.OneRegion"]
    assert last["generator"] == pytest.approx(total, rel=1e-4)
    assert last["toy_losses.peak"] > 0


def test_values_of_losses_of_ones_own(added, room, tiny_pairs):
    room(mri2pet.training)
    terms = {"toy_losses.peak": {"weight": 1, "power": 2}, "toy_losses.OneRegion": 1}
    predicted, real = torch.full((1, 1, 8, 8, 8), 0.5), torch.zeros(1, 1, 8, 8, 8)
    _, values = SynthesisLoss(terms, tiny_pairs.atlas)(predicted, real)
    assert [value.item() for value in values.values()] == pytest.approx([0.25, 0.5])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("toy_losses.peek", "'toy_losses.peek'"),
        ("ms_sim", r"'ms_sim' \(did you mean 'ms_ssim'\?\)"),
        ("peak", "'peak'"),
    ],
)
def test_a_loss_that_is_not_there_is_named_with_its_key(added, room, tiny_entry, name, said):
    room(mri2pet.training)
    tiny_entry["losses"][name] = 1.0
    with pytest.raises(InputError, match=rf"^models\.toy\.losses\.{name}: no loss is named {said}"):
        check_entry("models.toy", tiny_entry)


@pytest.mark.parametrize(
    ("terms", "labels", "said"),
    [
        ({"toy_losses.peak": {"weight": 1, "pwer": 2}}, True, r"does not take .*\['pwer'\]"),
        ({"toy_losses.OneRegion": 1}, False, "needs an atlas"),
        ({"toy_losses.OneRegion": {"weight": 1, "label": 2}}, True, r"does not take .*'label'"),
    ],
)
def test_settings_are_those_of_the_function(added, room, tiny_pairs, terms, labels, said):
    room(mri2pet.training)
    with pytest.raises(InputError, match=said):
        SynthesisLoss(terms, tiny_pairs.atlas if labels else None)


@pytest.mark.parametrize(
    ("old", "new", "runs"),
    [(".pow(power).mean()", ".pow(power).sum()", True), ("Mean of a power", "A power", False)],
)
def test_a_change_of_its_code_alone_trains_again(added, changes, old, new, runs):
    (symbol,) = loss_symbols({"toy_losses.peak": 1.0, "adversarial": 1.0})
    assert changes(symbol, FILE, old, new) is runs
