"""pix2pix: dropout in training, none in statistics and synthesis."""

import torch

from mri2pet.training.data import PairBatches
from mri2pet.training.recipe import recalibrate_batch_norm
from mri2pet.training.recipes import make_recipe
from mri2pet.training.run import train_model
from mri2pet.training.settings import Precision, TrainingSettings

CPU = torch.device("cpu")


def test_statistics_are_estimated_without_dropout(entries, pairs):
    results = []
    for dropout in (0.0, 0.5):
        entry = entries["pix2pix"]
        entry["generator"]["dropout"] = dropout
        torch.manual_seed(0)
        recipe = make_recipe(entry, TrainingSettings.from_config(entry["training"]), pairs)
        recalibrate_batch_norm(recipe, PairBatches(pairs, 5, 0, CPU), Precision("fp32", CPU))
        results.append(recipe.generator.eval()(pairs.source))
    torch.testing.assert_close(*results)


def test_trained_generators_draw_nothing(entries, pairs):
    generator, _ = train_model(entries["pix2pix"], pairs, "tiny", 0, 1, device="cpu")
    with torch.no_grad():
        assert torch.equal(generator(pairs.source), generator(pairs.source))
