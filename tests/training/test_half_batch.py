"""Losses G1 to G4 against hand computation; half real and half generated batches."""

import pytest
import torch
import torch.nn.functional as F

from mri2pet.errors import InputError
from mri2pet.training.losses import gradient_difference_loss
from mri2pet.training.recipes import make_recipe
from mri2pet.training.settings import Precision, TrainingSettings

FP32 = Precision("fp32", torch.device("cpu"))
G3 = {"adversarial": 0.5, "l2": 1.0, "gradient_difference": {"weight": 1.0, "dimensions": 2}}


@pytest.fixture
def patch_entry(entries):
    return entries["half_batch_gan"]


def make(entry, pairs):
    torch.manual_seed(0)
    return make_recipe(entry, TrainingSettings.from_config(entry["training"]), pairs)


def without_steps(recipe, taken):
    """Let optimisers note the gradients and change nothing."""
    for name, optimiser in recipe.optimisers.items():
        parameters = optimiser.param_groups[0]["params"]

        def step(name=name, parameters=parameters):
            taken[name] = [None if p.grad is None else p.grad.clone() for p in parameters]

        optimiser.step = step


def steps(volume, axis):
    return (volume.narrow(axis, 1, volume.shape[axis] - 1)
            - volume.narrow(axis, 0, volume.shape[axis] - 1))  # fmt: skip


@pytest.mark.parametrize("dimensions", [2, 3])
def test_gradient_difference_by_hand(dimensions):
    x, y = torch.randn(2, 1, 4, 5, 6), torch.randn(2, 1, 4, 5, 6)
    expected = sum(
        ((steps(y, 2 + axis).abs() - steps(x, 2 + axis).abs()) ** 2).mean()
        for axis in range(dimensions)
    )
    torch.testing.assert_close(gradient_difference_loss(x, y, dimensions), expected)


def test_two_dimensions_do_not_see_what_lies_between_slices():
    flat = torch.zeros(1, 1, 4, 4, 4)
    stacked = flat + torch.tensor([0.0, 5, 0, 5])  # slices that differ, each even in itself
    assert gradient_difference_loss(stacked, flat, 2) == 0
    assert gradient_difference_loss(stacked, flat, 3) == 25


def test_four_dimensions_are_refused():
    with pytest.raises(InputError, match="4 dimensions"):
        gradient_difference_loss(torch.zeros(1, 1, 2, 2, 2), torch.zeros(1, 1, 2, 2, 2), 4)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("last", ["l2", "l1"])
def test_the_losses_are_those_of_the_report(patch_entry, pairs, last, reduction):
    edges = {**G3["gradient_difference"], "reduction": reduction}
    image = {"weight": 1.0, "reduction": reduction}
    patch_entry["losses"] = {"adversarial": 0.5, "gradient_difference": edges, last: image}
    recipe = make(patch_entry, pairs)
    without_steps(recipe, {})
    source, real = pairs.source[:4], pairs.target[:4]
    state = {k: v.clone() for k, v in recipe.state_dict().items()}
    got = recipe.step({"source": source, "target": real}, FP32)
    recipe.load_state_dict(state)

    fake = recipe.generator(source) * pairs.mask
    shown = torch.cat([source, torch.cat([real[:2], fake[2:].detach()])], dim=1)
    chance = torch.sigmoid(recipe.discriminator(shown))
    against = F.binary_cross_entropy(chance[:2], torch.ones(2, 1)) + F.binary_cross_entropy(
        chance[2:], torch.zeros(2, 1)
    )
    torch.testing.assert_close(got["discriminator"], against)
    recipe.discriminator.eval()  # frozen, statistics of the mixed batch above included
    fooled = torch.sigmoid(recipe.discriminator(torch.cat([source, fake], dim=1)))
    adversarial = F.binary_cross_entropy(fooled, torch.ones(4, 1))
    errors = (fake - real).square() if last == "l2" else (fake - real).abs()
    error = errors.mean() if reduction == "mean" else errors.sum() / 4
    edges = gradient_difference_loss(fake, real, 2, reduction)
    torch.testing.assert_close(got["adversarial"], adversarial)
    torch.testing.assert_close(got[last], error)
    torch.testing.assert_close(got["generator"], error + 0.5 * adversarial + edges)


def test_the_discriminator_sees_half_real_and_half_generated_targets(patch_entry, pairs):
    recipe = make(patch_entry, pairs)
    shown = []
    recipe.discriminator.register_forward_pre_hook(lambda _, args: shown.append(args[0].detach()))
    without_steps(recipe, {})
    with torch.no_grad():
        fake = recipe.synthesise({"source": pairs.source})
    recipe.step({"source": pairs.source, "target": pairs.target}, FP32)
    first = shown[0]
    assert torch.equal(first[:, :1], pairs.source)  # each target with its own source
    assert torch.equal(first[:3, 1:], pairs.target[:3])  # of five, three are real
    torch.testing.assert_close(first[3:, 1:], fake[3:])
    assert len(shown[1]) == 5  # the generator is trained on all sources


def test_each_network_learns_from_its_own_loss_alone(patch_entry, pairs):
    recipe = make(patch_entry, pairs)
    taken = {}
    without_steps(recipe, taken)
    recipe.step({"source": pairs.source, "target": pairs.target}, FP32)
    for name in ("generator", "discriminator"):
        assert all(gradient is not None and gradient.any() for gradient in taken[name])
    # the generator's gradient came after the discriminator's and left none in it
    assert all(p.requires_grad for p in recipe.discriminator.parameters())
    after = [p.grad for p in recipe.discriminator.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(after, taken["discriminator"], strict=True))


def test_the_adversarial_term_reaches_the_generator(patch_entry, pairs):
    gradients = []
    for weight in (0.5, 0.0):
        patch_entry["losses"] = {**G3, "adversarial": weight}
        recipe, taken = make(patch_entry, pairs), {}
        without_steps(recipe, taken)
        recipe.step({"source": pairs.source, "target": pairs.target}, FP32)
        gradients.append(taken["generator"])
    assert any(not torch.allclose(a, b) for a, b in zip(*gradients, strict=True))


def test_the_discriminators_statistics_come_from_mixed_batches_alone(patch_entry, pairs):
    recipe = make(patch_entry, pairs)
    layer = next(m for m in recipe.discriminator.modules() if isinstance(m, torch.nn.BatchNorm3d))
    recipe.step({"source": pairs.source, "target": pairs.target}, FP32)
    assert layer.num_batches_tracked == 1
    assert layer.training


def test_a_batch_of_one_is_refused(patch_entry, pairs):
    patch_entry["training"]["batch_size"] = 1
    with pytest.raises(InputError, match="at least 2"):
        make(patch_entry, pairs)
