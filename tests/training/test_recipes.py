import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.training.data import PairBatches
from mri2pet.training.gan import ConditionalGan, Gan, Regression
from mri2pet.training.losses import discriminator_loss, generator_loss
from mri2pet.training.recipe import recalibrate_batch_norm
from mri2pet.training.recipes import RECIPES, make_recipe, recipe_symbol
from mri2pet.training.settings import Precision, TrainingSettings

CPU = torch.device("cpu")
FP32 = Precision("fp32", CPU)


def make(entry, pairs):
    torch.manual_seed(0)
    return make_recipe(entry, TrainingSettings.from_config(entry["training"]), pairs)


def batch_of(pairs):
    return {"source": pairs.source[:2], "target": pairs.target[:2]}


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
        fake = twin.generator(batch["source"]) * pairs.mask
        against = discriminator_loss(twin.discriminator(batch["target"]), twin.discriminator(fake))
        # The generator's step meets the discriminator after its own step.
        twin.discriminator.load_state_dict(recipe.discriminator.state_dict())
        adversarial = generator_loss(twin.discriminator(fake))
        synthesis, terms = twin.loss(fake, batch["target"])
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
    pet = make(entry, pairs).synthesise({"source": pairs.source})
    assert not pet[..., ~pairs.mask].any()
    assert (pet[..., pairs.mask] > 0).all()


def test_recalibration_gives_the_statistics_of_the_training_set(entry, pairs):
    recipe = make(entry, pairs)
    batches = PairBatches(pairs, 5, 0, CPU)  # one batch holds all
    recalibrate_batch_norm(recipe, batches, FP32)
    layer = recipe.generator.global_path[0].body
    features = layer[0](pairs.source).detach()
    torch.testing.assert_close(layer[1].running_mean, features.mean(dim=(0, 2, 3, 4)))
    torch.testing.assert_close(layer[1].running_var, features.var(dim=(0, 2, 3, 4)))
    assert layer[1].momentum == 0.1


def gradient(recipe, weights, batch):
    """Return the generator's gradient under some weights of the losses, from the same state."""
    recipe.loss.weights = {key: value for key, value in weights.items() if key != "adversarial"}
    recipe.loss.functions = {key: recipe.functions[key] for key in recipe.loss.weights}
    recipe.adversarial_weight = weights["adversarial"]
    taken = []
    recipe.optimisers["generator"].step = lambda: taken.extend(
        p.grad.clone() for p in recipe.generator.parameters()
    )
    recipe.optimisers["discriminator"].step = lambda: None
    recipe.step(batch, FP32)
    return torch.cat([g.flatten() for g in taken])


@pytest.mark.parametrize("name", ["gan", "conditional_gan"])
@pytest.mark.parametrize("dropped", ["adversarial", "l1", "ms_ssim", "roi"])
def test_every_loss_term_reaches_the_generator(entries, pairs, name, dropped):
    """The gradient is the weighted sum of the terms' own: none is lost, none counts twice."""
    terms = {"adversarial": 0.5, "l1": 1.0, "ms_ssim": 0.3, "roi": 2.0}
    recipe, batch = make(entries[name], pairs), batch_of(pairs)
    recipe.functions = dict(recipe.loss.functions)
    whole = gradient(recipe, terms, batch)
    # A term of weight 0 counts for nothing; the rest stays.
    without = gradient(recipe, {**terms, dropped: 0.0}, batch)
    alone = gradient(recipe, {**dict.fromkeys(terms, 0.0), dropped: terms[dropped]}, batch)
    assert alone.abs().max() > 0
    torch.testing.assert_close(whole, without + alone, rtol=1e-3, atol=1e-6)
    assert not torch.allclose(whole, without, rtol=1e-3, atol=1e-6)


def test_a_conditional_discriminator_sees_the_mri_of_the_pet(entries, pairs):
    recipe = make(entries["conditional_gan"], pairs)
    assert type(recipe) is ConditionalGan
    seen = []
    recipe.discriminator.register_forward_pre_hook(lambda _, args: seen.append(args[0].detach()))
    batch = batch_of(pairs)
    fake = recipe.synthesise(batch).detach()
    recipe.step(batch, FP32)
    expected = [batch["target"], fake, fake]  # real and synthetic for D, synthetic for G
    assert len(seen) == 3
    for volumes, pet in zip(seen, expected, strict=True):
        torch.testing.assert_close(volumes, torch.cat([batch["source"], pet], dim=1))


def test_a_plain_discriminator_sees_the_pet_alone(entry, pairs):
    recipe = make(entry, pairs)
    logits = recipe.eval().judge(pairs.source, pairs.target)
    assert torch.equal(recipe.judge(1 - pairs.source, pairs.target), logits)


def test_recipes_are_found_by_symbol():
    assert recipe_symbol("gan") == "mri2pet.training.gan:Gan"
    assert {recipe_symbol(name).partition(":")[2] for name in RECIPES} == {
        "Regression",
        "Gan",
        "ConditionalGan",
        "SimpleGan",
        "HalfBatchGan",
        "CycleGan",
        "ConditionalVae",
        "DualGlowRecipe",
        "RectifiedFlowRecipe",
    }


def test_lobes_come_from_the_pairs_atlas(entries, lobed):
    local = make(entries["lobes"], lobed).generator.local_paths
    assert torch.equal(local.lobes > 0, lobed.mask)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": "cycle"}, r"no recipe is named 'cycle' \(did you mean 'cycle_gan'\?\); known"),
        ({"losses": {"adversarial": 1, "cycle": 1}}, "losses.cycle"),
        ({"recipe": None}, "no recipe is named"),
        ({"losses": {"l1": 1}}, "adversarial"),
        ({"losses": {"l1": 1, "adversarial": {"weight": 1, "window": 7}}}, "weight alone"),
        ({"discriminator": {"name": "x"}}, "no network is named 'x'"),
    ],
)
def test_faulty_entries_are_refused(entry, pairs, change, message):
    with pytest.raises(InputError, match=message):
        make({**entry, **change}, pairs)


def test_missing_part_of_an_entry_is_named(entry, pairs):
    del entry["discriminator"]
    with pytest.raises(InputError, match="'discriminator'"):
        make(entry, pairs)
