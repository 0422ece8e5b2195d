"""IXI's training on patches of whole standardised volumes, and its validation by PSNR."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mri2pet.datasets.parts import Parts
from mri2pet.errors import InputError
from mri2pet.evaluation.image_metrics import mae, psnr
from mri2pet.training.held_out_psnr import HeldOutPsnr
from mri2pet.training.part_batches import PartBatches
from mri2pet.training.run import train_recipe
from mri2pet.training.validation import choose, validation_of

CPU = torch.device("cpu")
STANDARDISED = "standardised"


def tiles(size=8, **more):
    """Patches that lie side by side, as the report's."""
    return Parts("patches", size, size, **more)


def numbered(count=3, shape=(16, 8, 8)):
    """Pairs of volumes in which every voxel has a number of its own; the target is the double."""
    values = torch.arange(count * int(np.prod(shape)), dtype=torch.float32)
    return values.reshape(count, 1, *shape)


def everywhere(pairs, source, target):
    """Pairs of volumes (N, 1, X, Y, Z) of which every voxel counts, as IXI's."""
    mask = torch.ones(source.shape[2:])
    return dataclasses.replace(
        pairs, source=source, target=target, mask=mask.bool(), atlas=mask.byte()
    )


@pytest.fixture
def volumes(pairs):
    return everywhere(pairs, numbered(), 2 * numbered())


def test_an_epoch_shows_every_voxel_once_and_source_with_its_target(volumes):
    batches = PartBatches(volumes, 2, 0, CPU, parts=tiles())
    seen = []
    for batch in batches.epoch(0):
        assert batch["source"].shape == (2, 1, 8, 8, 8)
        assert torch.equal(batch["target"], 2 * batch["source"])
        seen.append(batch["source"].flatten())
    assert len(batches) == len(seen) == 3
    assert torch.equal(torch.cat(seen).sort().values, volumes.source.flatten())


def test_epochs_are_shuffled_by_seed_and_number_alone(volumes):
    def order(seed, epoch):
        batches = PartBatches(volumes, 2, seed, CPU, parts=tiles())
        return [b["source"].flatten(1)[:, 0].tolist() for b in batches.epoch(epoch)]

    assert order(1, 5) == order(1, 5)
    assert order(1, 5) != order(1, 6)
    assert order(1, 5) != order(2, 5)


def test_the_order_of_patches_stays_what_it_is(volumes):
    """What IXI's models have been trained on; another order gives other weights."""
    batches = PartBatches(volumes, 2, 7, CPU, parts=tiles())
    first = [b["source"].flatten(1)[:, 0].tolist() for b in batches.epoch(3)]
    assert first == [[2560.0, 1536.0], [1024.0, 2048.0], [0.0, 512.0]]


def test_the_last_batch_is_full(volumes):
    sizes = [len(b["source"]) for b in PartBatches(volumes, 4, 0, CPU, parts=tiles()).epoch(0)]
    assert sizes == [4, 4]


def test_the_reports_subject_gives_49_patches(volumes):
    flat = torch.zeros(1).expand(1, 1, 224, 224, 32)  # no memory behind it
    batches = PartBatches(everywhere(volumes, flat, flat), 7, 0, CPU, parts=tiles(32))
    assert batches.count == 49
    assert len(batches) == 7


class Doubling(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        return self.factor * x


def test_validation_measures_whole_volumes(pairs):
    rng = np.random.default_rng(0)
    source = rng.normal(size=(2, 16, 12, 8)).astype(np.float32)
    target = 2 * source + rng.normal(0, 0.1, source.shape).astype(np.float32)
    recipe = SimpleNamespace(generator=Doubling())
    volumes = everywhere(pairs, *(torch.from_numpy(v)[:, None] for v in (source, target)))
    parts = tiles(synthesis_stride=8, validation_stride=4, batch=3)
    got = HeldOutPsnr(volumes, parts, STANDARDISED)(recipe, 1)
    assert list(got) == [
        f"validation_{name}{end}" for name in ("mae", "psnr") for end in ("", "_sd")
    ]
    everything = np.ones(source.shape[1:], bool)
    for name, metric in (("mae", mae), ("psnr", psnr)):
        values = [
            metric(real, 2 * volume, everything, float(real.max()) - float(real.min()))
            for real, volume in zip(target, source, strict=True)
        ]
        assert got[f"validation_{name}"] == pytest.approx(np.mean(values), rel=1e-5)
        assert got[f"validation_{name}_sd"] == pytest.approx(np.std(values, ddof=1), rel=1e-3)
    few = dataclasses.replace(volumes, source=volumes.source[:1], target=volumes.target[:1])
    assert HeldOutPsnr(few, parts, STANDARDISED)(recipe, 1)["validation_psnr_sd"] == 0


def test_validation_has_a_stride_of_its_own(pairs):
    """A voxel is seen by one patch, and at synthesis by several."""
    seen = []

    class Counting(Doubling):
        def forward(self, x):
            seen.append(len(x))
            return super().forward(x)

    volumes = everywhere(pairs, numbered(1), numbered(1))
    recipe = SimpleNamespace(generator=Counting())
    for stride, patches in ((None, 3), (8, 2), (2, 5)):
        seen.clear()
        parts = tiles(synthesis_stride=4, validation_stride=stride)
        HeldOutPsnr(volumes, parts, STANDARDISED)(recipe, 1)
        assert sum(seen) == patches


@pytest.mark.parametrize("stride", [0, 9])
def test_a_stride_of_validation_that_leaves_gaps_is_refused(stride):
    block = {"kind": "patches", "size": 8, "stride": 8, "validation_stride": stride}
    with pytest.raises(InputError, match=r"parts\.validation_stride"):
        Parts.from_config(block)


def test_ssim_is_refused_for_standardised_volumes(volumes):
    assert validation_of(volumes, {}, {}).key == "validation_ssim"
    with pytest.raises(InputError, match=r"validation\.measure: ssim .* choose psnr"):
        validation_of(volumes, {}, {"measure": "ssim"}, STANDARDISED)


@pytest.mark.parametrize("recipe", ["half_batch_gan", "conditional_gan", "regression"])
def test_a_patch_gan_learns_the_other_contrast(entries, pairs, recipe):
    torch.manual_seed(0)
    source = torch.randn(4, 1, 16, 16, 16)
    target = 1 - 0.5 * source
    entry = {**entries["half_batch_gan"], "recipe": recipe}
    entry["parts"] = {"kind": "patches", "size": 8, "stride": 8, "batch": 4}
    entry["discriminator"] = {**entry["discriminator"], "patch": 8}
    entry["losses"] = {**entry["losses"], "adversarial": 0.01}
    if recipe == "regression":
        entry["losses"].pop("adversarial")
    more = {"epochs": 6, "batch_size": 4, "learning_rate": 0.02, "recalibrate": False}
    entry["training"] = {**entry["training"], **more}
    held = everywhere(pairs, source[:2], target[:2])
    settings = {"measure": "psnr", "patience": 0}
    made, history = train_recipe(
        entry, everywhere(pairs, source, target), name="g3", fold=0, seed=1, device="cpu",
        validation=validation_of(held, entry, settings, STANDARDISED),
    )  # fmt: skip
    best = max(row["validation_psnr"] for row in history)
    copied = [
        psnr(real, own, np.ones(real.shape, bool), float(real.max() - real.min()))
        for real, own in zip(target[:2, 0].numpy(), source[:2, 0].numpy(), strict=True)
    ]
    assert best > np.mean(copied) + 3  # better than copying
    again = HeldOutPsnr(held, Parts.of(entry), STANDARDISED)(made.eval(), 0)
    assert again["validation_psnr"] == pytest.approx(best, abs=1e-3)
    chosen = choose(made.generator, history, held, entry, settings, (1.0, 1.0, 1.0), STANDARDISED)
    assert chosen == {"epochs": 6, "epoch": chosen["epoch"], "validation_psnr": best,
                      "smoothing_fwhm_mm": 0.0}  # fmt: skip
    assert history[chosen["epoch"] - 1]["validation_psnr"] == best
