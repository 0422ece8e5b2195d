import pytest
import torch

from mri2pet.datasets.parts import Parts
from mri2pet.errors import InputError
from mri2pet.training.losses import least_squares_discriminator_loss, least_squares_generator_loss
from mri2pet.training.lsgan import SimpleGan
from mri2pet.training.part_batches import PartBatches
from mri2pet.training.recipes import make_recipe
from mri2pet.training.settings import Precision, TrainingSettings

CPU = torch.device("cpu")
FP32 = Precision("fp32", CPU)


def make(entry, pairs):
    torch.manual_seed(0)
    return make_recipe(entry, TrainingSettings.from_config(entry["training"]), pairs)


def batch_of(entry, pairs):
    parts = Parts.from_config(entry["parts"])
    return next(PartBatches(pairs, 2, 0, CPU, parts=parts).epoch(0))


def test_a_step_moves_every_weight_of_both_networks(patches_entry, pairs):
    recipe = make(patches_entry, pairs)
    assert isinstance(recipe, SimpleGan)
    before = [p.detach().clone() for p in recipe.parameters()]
    recipe.step(batch_of(patches_entry, pairs), FP32)
    assert all((a != b).any() for a, b in zip(before, recipe.parameters(), strict=True))


def test_losses_are_equations_1_and_2_inside_the_mask(patches_entry, pairs):
    recipe, twin = make(patches_entry, pairs), make(patches_entry, pairs)
    batch = batch_of(patches_entry, pairs)
    losses = recipe.step(batch, FP32)
    with torch.no_grad():
        fake = twin.generator(batch["source"] * batch["mask"]) * batch["mask"]
        adversarial = least_squares_generator_loss(twin.discriminator(fake))
        squared = (fake - batch["target"]).square().mean()
        # The pool is empty: the discriminator sees these very patches.
        against = least_squares_discriminator_loss(
            twin.discriminator(batch["target"]), twin.discriminator(fake)
        )
    expected = {
        "generator": adversarial + 20 * squared,
        "adversarial": adversarial,
        "l2": squared,
        "discriminator": against,
    }
    assert set(losses) == set(expected)
    for name, value in expected.items():
        assert losses[name].item() == pytest.approx(value.item(), rel=1e-4)


def test_without_a_paired_loss_the_pairs_do_not_matter(patches_entry, pairs):
    batch, results = batch_of(patches_entry, pairs), []
    for losses in ({"adversarial": 1.0}, {"adversarial": 1.0, "l2": 20.0}):
        ends = []
        for order in ([0, 1], [1, 0]):
            recipe = make({**patches_entry, "losses": losses}, pairs)
            recipe.step({**batch, "target": batch["target"][order]}, FP32)
            ends.append(recipe.generator.layers[-1].weight.detach())
        results.append(torch.equal(*ends))
    assert results == [True, False]


def test_the_pool_holds_parts_of_the_models_shape(patches_entry, slices_entry, pairs):
    recipe = make(patches_entry, pairs)
    assert recipe.pool.volumes.shape == (3, 1, 8, 8, 8)
    recipe.step(batch_of(patches_entry, pairs), FP32)
    assert int(recipe.pool.filled) == 2
    assert make(slices_entry, pairs).pet_pool.volumes.shape == (3, 3, 16, 16)


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ({"adversarial": 1, "cycle": 1}, r"losses\.cycle: the lsgan recipe"),
        ({"l2": 1}, "lsgan recipe needs a weight for `adversarial`"),
        (
            {"adversarial": 1, "l2": {"weight": 1, "reduction": "sum"}},
            r"losses\.l2: takes a weight alone in the lsgan recipe, not reduction",
        ),
    ],
)
def test_losses_that_do_not_fit_are_refused(patches_entry, pairs, losses, message):
    with pytest.raises(InputError, match=message):
        make({**patches_entry, "losses": losses}, pairs)
