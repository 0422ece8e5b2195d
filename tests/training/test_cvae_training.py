import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from mri2pet.errors import InputError
from mri2pet.training.cvae_recipe import ConditionalVae, divergence
from mri2pet.training.recipes import make_recipe
from mri2pet.training.run import train_model
from mri2pet.training.settings import Precision, TrainingSettings

FP32 = Precision("fp32", torch.device("cpu"))


def make(entry, pairs):
    torch.manual_seed(0)
    return make_recipe(entry, TrainingSettings.from_config(entry["training"]), pairs)


def batch_of(pairs):
    return {"source": pairs.source[:2], "target": pairs.target[:2]}


def test_divergence_is_that_of_torch():
    torch.manual_seed(0)
    posterior, prior = torch.randn(2, 2, 3, 4, 2, 2, 2).unbind()
    expected = kl_divergence(*(
        Independent(Normal(mean, log_sigma.exp()), 4) for mean, log_sigma in (posterior, prior)
    ))  # fmt: skip
    torch.testing.assert_close(divergence(posterior, prior), expected)
    assert divergence(prior, prior).abs().max() < 1e-5


def test_a_step_is_the_lower_bound_of_one_drawn_code(entries, pairs):
    entry, batch = entries["cvae"], batch_of(pairs)
    recipe, twin = make(entry, pairs), make(entry, pairs)
    assert type(recipe) is ConditionalVae
    torch.manual_seed(5)
    losses = recipe.step(batch, FP32)
    torch.manual_seed(5)
    with torch.no_grad():
        mean, log_sigma = twin.recognition(batch["source"], batch["target"])
        code = mean + log_sigma.exp() * torch.randn(mean.shape)
        fake, prior = twin.generator.reconstruct(batch["source"], code)
        l1 = (fake * pairs.mask - batch["target"]).abs().mean()
        kl = divergence((mean, log_sigma), prior).mean() / pairs.mask.numel()
    assert list(losses) == ["generator", "l1", "kl"]
    assert losses["l1"].item() == pytest.approx(l1.item(), rel=1e-5)
    assert losses["kl"].item() == pytest.approx(kl.item(), rel=1e-4)
    weights = entry["losses"]
    expected = weights["l1"] * l1 + weights["kl"] * kl
    assert losses["generator"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_every_weight_of_generator_and_recognition_is_trained(entries, pairs):
    recipe = make(entries["cvae"], pairs)
    recipe.step(batch_of(pairs), FP32)
    without = [name for name, p in recipe.named_parameters() if p.grad is None or not p.grad.any()]
    assert not without


def gradients(entries, pairs, losses):
    """Return the gradient that prior and decoder take under some weights of the losses."""
    recipe = make({**entries["cvae"], "losses": losses}, pairs)
    torch.manual_seed(5)
    recipe.step(batch_of(pairs), FP32)
    parts = (recipe.generator.prior, recipe.generator.output, recipe.recognition)
    return [torch.cat([p.grad.flatten() for p in part.parameters()]) for part in parts]


def test_each_term_reaches_what_it_should(entries, pairs):
    prior, decoder, recognition = gradients(entries, pairs, {"l1": 1.0, "kl": 1.0})
    more = gradients(entries, pairs, {"l1": 1.0, "kl": 3.0})
    # The prior learns by the divergence alone, the decoder by the reconstruction alone.
    torch.testing.assert_close(more[0], 3 * prior)
    torch.testing.assert_close(more[1], decoder)
    assert not torch.allclose(more[2], recognition, rtol=1e-2)
    other = gradients(entries, pairs, {"l1": 2.0, "kl": 1.0})
    torch.testing.assert_close(other[0], prior)
    torch.testing.assert_close(other[1], 2 * decoder)
    assert not torch.allclose(other[2], recognition, rtol=1e-2)


def test_training_learns_and_synthesis_repeats_itself(entries, pairs):
    entry = entries["cvae"]
    entry["training"] |= {"epochs": 20, "learning_rate": 0.03}
    generator, history = train_model(entry, pairs, "tiny", 0, 1, device="cpu")
    assert history[-1]["l1"] < 0.5 * history[0]["l1"]
    with torch.no_grad():
        predicted = generator(pairs.source) * pairs.mask
        assert torch.equal(generator(pairs.source) * pairs.mask, predicted)
    error = (predicted - pairs.target).abs().mean()
    assert error < 0.5 * (pairs.target.mean(dim=0) - pairs.target).abs().mean()
    # What recognised the real PET stays behind.
    assert not any(name.startswith("recognition") for name in generator.state_dict())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"losses": {"l1": 1.0}}, "weight for `kl`"),
        ({"losses": {"kl": 1.0}}, "no term"),
        ({"generator": {"name": "unet3d", "filters": [2, 2]}}, "unet3d has no recognition"),
    ],
)
def test_faulty_entries_are_refused(entries, pairs, change, message):
    with pytest.raises(InputError, match=message):
        make({**entries["cvae"], **change}, pairs)
