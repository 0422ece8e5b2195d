import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.losses import discriminator_loss, generator_loss
from mri2pet.training.data import PairBatches
from mri2pet.training.recipes import Gan, Regression, make_recipe, recalibrate_batch_norm
from mri2pet.training.settings import Precision, TrainingSettings

CPU = torch.device("cpu")
FP32 = Precision("fp32", CPU)


def make(entry, pairs):
    torch.manual_seed(0)
    return make_recipe(entry, TrainingSettings.from_config(entry["training"]), pairs)


def batch_of(pairs):
    return {"mri": pairs.mri[:2], "pet": pairs.pet[:2]}


def weights(network):
    return [p.detach().clone() for p in network.parameters()]


def test_gan_step_moves_every_weight_of_both_networks(entry, pairs):
    recipe = make(entry, pairs)
    assert isinstance(recipe, Gan)
    before = weights(recipe)
    recipe.step(batch_of(pairs), FP32)
    assert all((a != b).any() for a, b in zip(before, weights(recipe), strict=True))


def test_gan_losses_are_equations_1_and_8(entry, pairs):
    recipe, batch = make(entry, pairs), batch_of(pairs)
    twin = make(entry, pairs)
    losses = recipe.step(batch, FP32)
    with torch.no_grad():
        fake = twin.generator(batch["mri"]) * pairs.mask
        against = discriminator_loss(twin.discriminator(batch["pet"]), twin.discriminator(fake))
        # The generator's step meets the discriminator after its own step.
        twin.discriminator.load_state_dict(recipe.discriminator.state_dict())
        adversarial = generator_loss(twin.discriminator(fake))
        synthesis, terms = twin.loss(fake, batch["pet"])
    assert losses["discriminator"].item() == pytest.approx(against.item(), rel=1e-5)
    assert losses["adversarial"].item() == pytest.approx(adversarial.item(), rel=1e-5)
    expected = synthesis + 0.01 * adversarial
    assert losses["generator"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert set(losses) == {"generator", "adversarial", "discriminator", *terms}


def test_adversarial_weight_reaches_the_generator_only(entry, pairs):
    recipes = []
    for weight in (0.0, 1.0):
        entry["losses"]["adversarial"] = weight
        recipe = make(entry, pairs)
        recipe.step(batch_of(pairs), FP32)
        recipes.append(recipe)
    pairs_of = [zip(*(weights(getattr(r, n)) for r in recipes), strict=True)
                for n in ("generator", "discriminator")]  # fmt: skip
    generator, discriminator = ([torch.equal(a, b) for a, b in pair] for pair in pairs_of)
    assert not all(generator)
    assert all(discriminator)


def test_regression_has_no_discriminator(entry, pairs):
    recipe = make({**entry, "recipe": "regression"}, pairs)
    assert type(recipe) is Regression
    assert list(recipe.optimisers) == ["generator"]
    assert set(recipe.step(batch_of(pairs), FP32)) == {"generator", "l1", "ms_ssim", "roi"}


def test_adam_has_the_configured_betas(entry, pairs):
    entry["training"]["beta1"] = 0.1
    for optimiser in make(entry, pairs).optimisers.values():
        assert optimiser.defaults["betas"] == (0.1, 0.999)
        assert optimiser.defaults["lr"] == 0.01


def test_the_synthetic_pet_is_zero_outside_the_brain(entry, pairs):
    pet = make(entry, pairs).synthesise(pairs.mri)
    assert not pet[..., ~pairs.mask].any()
    assert (pet[..., pairs.mask] > 0).all()


def test_recalibration_gives_the_statistics_of_the_training_set(entry, pairs):
    recipe = make(entry, pairs)
    batches = PairBatches(pairs, 5, 0, CPU)  # one batch holds all
    recalibrate_batch_norm(recipe, batches, FP32)
    layer = recipe.generator.global_path[0].body
    features = layer[0](pairs.mri).detach()
    torch.testing.assert_close(layer[1].running_mean, features.mean(dim=(0, 2, 3, 4)))
    torch.testing.assert_close(layer[1].running_var, features.var(dim=(0, 2, 3, 4)))
    assert layer[1].momentum == 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": "cycle"}, "'cycle' is unknown; known are regression, gan"),
        ({"recipe": None}, "unknown"),
        ({"losses": {"l1": 1}}, "adversarial"),
        ({"discriminator": {"name": "x"}}, "no model is named 'x'"),
    ],
)
def test_faulty_entries_are_refused(entry, pairs, change, message):
    with pytest.raises(InputError, match=message):
        make({**entry, **change}, pairs)


def test_missing_part_of_an_entry_is_named(entry, pairs):
    del entry["discriminator"]
    with pytest.raises(InputError, match="'discriminator'"):
        make(entry, pairs)
