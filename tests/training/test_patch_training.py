"""Batches of patches, and validation on whole volumes."""

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch

from mri2pet.evaluation.volume_metrics import mae, psnr
from mri2pet.training.loop import Validation
from mri2pet.training.patch_batches import PatchBatches, WholeVolumes, synthesise_volumes
from mri2pet.training.run import train_recipe

CPU = torch.device("cpu")


def numbered(count=3, shape=(16, 8, 8)):
    """Pairs of volumes in which every voxel has a number of its own; the target is the double."""
    values = torch.arange(count * int(np.prod(shape)), dtype=torch.float32)
    return values.reshape(count, 1, *shape)


@pytest.fixture
def volumes(pairs):
    mri = numbered()
    ones = torch.ones(8, 8, 8)
    return dataclasses.replace(pairs, mri=mri, pet=2 * mri, mask=ones.bool(), atlas=ones.byte())


def test_an_epoch_shows_every_voxel_once_and_source_with_its_target(volumes):
    batches = PatchBatches(volumes, 2, 0, CPU, size=8)
    seen = []
    for batch in batches.epoch(0):
        assert batch["mri"].shape == (2, 1, 8, 8, 8)
        assert torch.equal(batch["pet"], 2 * batch["mri"])
        seen.append(batch["mri"].flatten())
    assert len(batches) == len(seen) == 3
    assert torch.equal(torch.cat(seen).sort().values, volumes.mri.flatten())


def test_epochs_are_shuffled_by_seed_and_number_alone(volumes):
    def order(seed, epoch):
        return [b["mri"].flatten(1)[:, 0].tolist()
                for b in PatchBatches(volumes, 2, seed, CPU, size=8).epoch(epoch)]  # fmt: skip

    assert order(1, 5) == order(1, 5)
    assert order(1, 5) != order(1, 6)
    assert order(1, 5) != order(2, 5)


def test_the_last_batch_is_full(volumes):
    sizes = [len(b["mri"]) for b in PatchBatches(volumes, 4, 0, CPU, size=8).epoch(0)]
    assert sizes == [4, 4]


def test_the_reports_subject_gives_49_patches(volumes):
    flat = torch.zeros(1).expand(1, 1, 224, 224, 32)  # no memory behind it
    wide = dataclasses.replace(volumes, mri=flat, pet=flat)
    batches = PatchBatches(wide, 7, 0, CPU, size=32)
    assert len(batches.places) == 49
    assert len(batches) == 7


class Doubling(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        return self.factor * x


def test_validation_measures_whole_volumes():
    rng = np.random.default_rng(0)
    source = rng.normal(size=(2, 16, 12, 8)).astype(np.float32)
    target = 2 * source + rng.normal(0, 0.1, source.shape).astype(np.float32)
    recipe = torch.nn.Module()
    recipe.generator = Doubling()
    got = WholeVolumes(source, target, size=8, stride=4, batch=3)(recipe, 1)
    for name, metric in (("mae", mae), ("psnr", psnr)):
        values = [metric(real, 2 * volume) for real, volume in zip(target, source, strict=True)]
        assert got[f"validation_{name}"] == pytest.approx(np.mean(values), rel=1e-5)
        assert got[f"validation_{name}_sd"] == pytest.approx(np.std(values, ddof=1), rel=1e-3)
    one = WholeVolumes(source[:1], target[:1], 8, 8, 3)(recipe, 1)
    assert one["validation_psnr_sd"] == 0


def test_volumes_are_made_in_evaluation_mode():
    network = torch.nn.Sequential(torch.nn.BatchNorm3d(1)).train()
    made = list(synthesise_volumes(network, np.ones((1, 8, 8, 8), np.float32), 8, 8, 1))
    np.testing.assert_allclose(made[0], 1, atol=1e-4)
    assert network[0].num_batches_tracked == 0


def test_measures_by_hand():
    real = np.array([0.0, 4.0, 2.0, 2.0])
    made = np.array([1.0, 4.0, 2.0, 1.0])
    assert mae(real, made) == 0.5
    assert psnr(real, made) == pytest.approx(10 * np.log10(16 / 0.5))
    assert psnr(real, real) == float("inf")


def test_a_patch_gan_learns_the_other_contrast(entries, pairs):
    torch.manual_seed(0)
    source = torch.randn(4, 1, 16, 16, 16)
    target = 1 - 0.5 * source
    patches = dataclasses.replace(pairs, mri=source, pet=target, mask=torch.ones(8, 8, 8).bool(),
                                  atlas=torch.zeros(8, 8, 8).byte())  # fmt: skip
    entry = entries["half_batch_gan"]
    entry["discriminator"]["patch"] = 8
    entry["losses"]["adversarial"] = 0.01
    entry["training"] |= {"epochs": 6, "batch_size": 4, "learning_rate": 0.02, "recalibrate": False}
    held = source[:2, 0].numpy(), target[:2, 0].numpy()
    validation = Validation(WholeVolumes(*held, 8, 8, 4), "validation_psnr")
    recipe, history = train_recipe(
        entry, patches, name="g3", fold=0, seed=1, device="cpu", validation=validation,
        make_batches=partial(PatchBatches, size=8),
    )  # fmt: skip
    best = max(row["validation_psnr"] for row in history)
    assert best > psnr(held[1], held[0]) + 3  # better than copying
    again = WholeVolumes(*held, 8, 8, 4)(recipe, 0)
    assert again["validation_psnr"] == pytest.approx(best, abs=1e-3)
