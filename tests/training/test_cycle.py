import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.training.cycle import TERMS, CycleGan
from mri2pet.training.losses import least_squares_discriminator_loss, least_squares_generator_loss
from mri2pet.training.pool import ImagePool
from mri2pet.training.recipes import make_recipe
from mri2pet.training.settings import Precision, TrainingSettings

FP32 = Precision("fp32", torch.device("cpu"))


def make(entry, pairs):
    torch.manual_seed(0)
    return make_recipe(entry, TrainingSettings.from_config(entry["training"]), pairs)


def batch_of(pairs):
    return {"source": pairs.source[:2], "target": pairs.target[:2]}


def gradients(entry, pairs, weights):
    """Return the gradients of all generator weights for some weights of the losses."""
    recipe, taken = make(entry, pairs), []
    recipe.weights = {name: weight for name, weight in weights.items() if weight}
    recipe.optimisers["generators"].step = lambda: taken.extend(
        p.grad.flatten().clone()
        for network in (recipe.generator, recipe.back)
        for p in network.parameters()
    )
    recipe.step(batch_of(pairs), FP32)
    return torch.cat(taken)


def test_a_step_moves_every_weight_of_the_four_networks(cycle_entry, pairs):
    recipe = make(cycle_entry, pairs)
    assert isinstance(recipe, CycleGan)
    before = [p.detach().clone() for p in recipe.parameters()]
    recipe.step(batch_of(pairs), FP32)
    assert all((a != b).any() for a, b in zip(before, recipe.parameters(), strict=True))
    held = {id(p) for o in recipe.optimisers.values() for g in o.param_groups for p in g["params"]}
    assert held == {id(p) for p in recipe.parameters()}


def test_the_networks_start_from_different_weights(cycle_entry, pairs):
    recipe = make(cycle_entry, pairs)
    assert not torch.equal(recipe.generator.layers[0].weight, recipe.back.layers[0].weight)


def test_losses_are_those_of_cycle_gan(cycle_entry, pairs):
    recipe, twin = make(cycle_entry, pairs), make(cycle_entry, pairs)
    batch = batch_of(pairs)
    losses = recipe.step(batch, FP32)
    mask = pairs.mask
    with torch.no_grad():
        mri, pet = batch["source"] * mask, batch["target"]
        fake_pet, fake_mri = twin.generator(mri) * mask, twin.back(pet) * mask
        expected = {
            "adversarial": least_squares_generator_loss(twin.pet_discriminator(fake_pet))
            + least_squares_generator_loss(twin.mri_discriminator(fake_mri)),
            "cycle": (twin.back(fake_pet) * mask - mri).abs().mean()
            + (twin.generator(fake_mri) * mask - pet).abs().mean(),
            "identity": (twin.generator(pet) * mask - pet).abs().mean()
            + (twin.back(mri) * mask - mri).abs().mean(),
            "l1": (fake_pet - pet).abs().mean() + (fake_mri - mri).abs().mean(),
            "l2": (fake_pet - pet).square().mean() + (fake_mri - mri).square().mean(),
            # The pool is empty: the discriminators see these very volumes.
            "discriminator": least_squares_discriminator_loss(
                twin.pet_discriminator(pet), twin.pet_discriminator(fake_pet)
            )
            + least_squares_discriminator_loss(
                twin.mri_discriminator(mri), twin.mri_discriminator(fake_mri)
            ),
        }
    total = sum(cycle_entry["losses"][name] * expected[name] for name in TERMS)
    assert set(losses) == {"generator", *expected}
    for name, value in {"generator": total, **expected}.items():
        assert losses[name].item() == pytest.approx(value.item(), rel=1e-4)


@pytest.mark.parametrize("dropped", TERMS)
def test_every_loss_term_reaches_the_generators(cycle_entry, pairs, dropped):
    """The gradient is the weighted sum of the terms' own: none is lost, none counts twice."""
    weights = cycle_entry["losses"]
    whole = gradients(cycle_entry, pairs, weights)
    without = gradients(cycle_entry, pairs, {**weights, dropped: 0})
    alone = gradients(cycle_entry, pairs, {dropped: weights[dropped]})
    torch.testing.assert_close(whole, without + alone, rtol=1e-3, atol=1e-5)
    assert not torch.allclose(whole, without, rtol=1e-3, atol=1e-5)


def test_optional_losses_are_not_computed_unless_asked_for(cycle_entry, pairs):
    cycle_entry["losses"] = {"adversarial": 1.0, "cycle": 10.0, "identity": 0}
    losses = make(cycle_entry, pairs).step(batch_of(pairs), FP32)
    assert set(losses) == {"generator", "adversarial", "cycle", "discriminator"}


@pytest.mark.parametrize("paired", ["l1", "l2"])
def test_without_l1_and_l2_the_pairs_do_not_matter(cycle_entry, pairs, paired):
    """Cycle-GAN learns from which PET there are, not from whose they are."""
    results = []
    for weight in (0.0, 30.0):
        cycle_entry["losses"] |= {"l1": 0.0, "l2": 0.0, paired: weight}
        ends = []
        for order in ([0, 1], [1, 0]):
            recipe = make(cycle_entry, pairs)
            recipe.step({"source": pairs.source[:2], "target": pairs.target[order]}, FP32)
            ends.append(recipe.generator.layers[-1].weight.detach())
        results.append(torch.allclose(*ends, atol=1e-5))
    assert results == [True, False]


def test_least_squares_losses():
    assert least_squares_generator_loss(torch.tensor([1.0, 3.0])).item() == 2.0
    real, fake = torch.tensor([1.0, 0.0]), torch.tensor([2.0, 0.0])
    assert least_squares_discriminator_loss(real, fake).item() == 0.5 * (0.5 + 2.0)


def volumes(*values):
    return torch.tensor(values, dtype=torch.float32)[:, None, None, None, None]


def test_pool_returns_what_comes_until_it_is_full():
    pool = ImagePool(3, (1, 1, 1))
    assert torch.equal(pool.exchange(volumes(1, 2)), volumes(1, 2))
    assert int(pool.filled) == 2
    assert torch.equal(pool.exchange(volumes(3)), volumes(3))
    assert torch.equal(pool.volumes, volumes(1, 2, 3))


def test_full_pool_loses_and_doubles_nothing():
    torch.manual_seed(0)
    pool = ImagePool(3, (1, 1, 1))
    pool.exchange(volumes(1, 2, 3))
    returned, earlier = [], 0
    for value in range(4, 204):
        shown = pool.exchange(volumes(value)).item()
        earlier += shown != value
        returned.append(shown)
    kept = pool.volumes.flatten().tolist()
    assert sorted(returned + kept) == [float(v) for v in range(1, 204)]
    assert 70 < earlier < 130  # even odds


def test_pool_holds_no_graph_and_may_be_empty():
    new = volumes(1, 2).requires_grad_()
    pool = ImagePool(2, (1, 1, 1))
    assert not pool.exchange(new).requires_grad
    assert not pool.volumes.requires_grad
    shown = ImagePool(0, (1, 1, 1)).exchange(new)
    assert torch.equal(shown, new)
    assert not shown.requires_grad


def test_pool_is_part_of_the_state(cycle_entry, pairs):
    recipe = make(cycle_entry, pairs)
    recipe.step(batch_of(pairs), FP32)
    twin = make(cycle_entry, pairs)
    twin.load_state_dict(recipe.state_dict())
    assert int(twin.pet_pool.filled) == 2
    assert torch.equal(twin.mri_pool.volumes, recipe.mri_pool.volumes)
    assert recipe.mri_pool.volumes.any()


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ({"adversarial": 1, "cycle": 1, "ssim": 1}, r"losses\.ssim: the cycle_gan recipe"),
        ({"adversarial": 1, "l1": 1}, "needs a weight for `cycle`"),
        ({"cycle": 1}, "needs a weight for `adversarial`"),
    ],
)
def test_losses_that_do_not_fit_are_refused(cycle_entry, pairs, losses, message):
    with pytest.raises(InputError, match=message):
        make({**cycle_entry, "losses": losses}, pairs)
