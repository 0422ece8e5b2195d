"""What a PET has not measured is never learnt from, whatever stands there, by any recipe."""

import numpy as np
import pytest
import torch

from mri2pet.datasets.parts import Parts
from mri2pet.synthesis.smoothing import search_fwhm
from mri2pet.training.data import PairBatches, load_pairs
from mri2pet.training.held_out import HeldOutSsim
from mri2pet.training.held_out_psnr import HeldOutPsnr
from mri2pet.training.part_batches import PartBatches
from mri2pet.training.recipe import as_measured, start_at_mean
from mri2pet.training.recipes import make_recipe
from mri2pet.training.settings import Precision, TrainingSettings

CPU = torch.device("cpu")
FP32 = Precision("fp32", CPU)
GAPPED = 1  # of the visits


@pytest.fixture
def gap(dataset, tables, tmp_path):
    """Where one visit is not measured; `seen.npy` says so."""
    target = np.load(dataset["target"])
    seen = np.ones(target.shape, bool)
    seen[GAPPED, :, :, 9:] = False
    np.save(tmp_path / "seen.npy", seen)
    return ~seen[GAPPED]


@pytest.fixture
def load(dataset, tables, tmp_path):
    """Load the pairs after a value was put into the gap."""

    def call(gap=None, value=0.0, side=None):
        target = np.load(dataset["target"])
        if gap is not None:
            target[GAPPED][gap] = value
        np.save(tmp_path / "changed.npy", target)
        paths = dataset["source"], tmp_path / "changed.npy", dataset["mask"], dataset["atlas"]
        rows = tables[0][:4]
        return load_pairs(*paths, rows, 0, side, None if gap is None else tmp_path / "seen.npy")

    return call


def test_a_gap_is_filled_with_the_mean_of_the_others(gap, load, dataset):
    pairs, mask = load(gap), np.load(dataset["mask"])
    others = np.load(dataset["target"])[[0, 2, 3]].mean(axis=0)
    np.testing.assert_allclose(pairs.target[GAPPED, 0][gap], (others * mask)[gap], atol=1e-6)
    np.testing.assert_array_equal(pairs.seen[GAPPED, 0].numpy(), ~gap | ~mask)
    assert pairs.seen[[0, 2, 3]].all()
    assert load(gap, 0.9).digest() == pairs.digest()


def test_without_a_gap_nothing_changes(load, dataset, tables, tmp_path):
    plain = load()
    np.save(tmp_path / "seen.npy", np.ones(np.load(dataset["target"]).shape, bool))
    paths = (dataset[name] for name in ("source", "target", "mask", "atlas"))
    whole = load_pairs(*paths, tables[0][:4], seen=tmp_path / "seen.npy")
    assert whole.seen is None and whole.digest() == plain.digest()
    assert set(next(PairBatches(whole, 2, 0, CPU).epoch(0))) == {"source", "target"}
    made = torch.rand(2, 1, 3, 3, 3)
    assert as_measured(made, made + 1, {}) is made


def test_a_gap_of_a_visit_that_is_not_read_does_not_matter(gap, dataset, tables, tmp_path):
    paths = [dataset[name] for name in ("source", "target", "mask", "atlas")]
    rows = tables[0].iloc[[0, 2]]
    told = load_pairs(*paths, rows, seen=tmp_path / "seen.npy")
    assert told.seen is None and told.digest() == load_pairs(*paths, rows).digest()


@pytest.fixture
def whole_batch(gap, load):
    pairs = load(gap)
    batch = {"source": pairs.source, "target": pairs.target, "seen": pairs.seen}
    return pairs, batch


def make(entry, pairs):
    torch.manual_seed(0)
    return make_recipe(entry, TrainingSettings.from_config(entry["training"]), pairs).train()


RECIPES = ["regression", "gan", "conditional_gan", "half_batch_gan", "lsgan", "cycle_gan", "cgan"]


@pytest.mark.parametrize("name", RECIPES)
def test_the_gap_has_no_gradient(entries, whole_batch, name):
    pairs, batch = whole_batch
    recipe = make(entries[name], pairs)
    outputs = []

    def keep(module, given, output):
        if output.requires_grad:
            output.retain_grad()
            outputs.append(output)

    recipe.generator.register_forward_hook(keep)
    recipe.step(batch, FP32)
    grads = [output.grad for output in outputs if output.grad is not None]
    assert grads
    for grad in grads:
        assert not grad[~batch["seen"]].any()
        assert grad[batch["seen"] & pairs.mask].abs().sum() > 0


@pytest.mark.parametrize("name", [*RECIPES, "cvae", "dual_glow", "rectified_flow"])
def test_whatever_stands_in_the_gap_the_step_is_the_same(entries, gap, load, name):
    results = []
    for value in (0.0, 0.8):
        pairs = load(gap, value)
        recipe = make(entries[name], pairs)
        batch = {"source": pairs.source, "target": pairs.target, "seen": pairs.seen}
        torch.manual_seed(3)
        recipe.step(batch, FP32)
        results.append(torch.cat([p.detach().flatten() for p in recipe.parameters()]))
    assert torch.equal(*results)


@pytest.mark.parametrize(
    "parts",
    [{"kind": "slices", "size": 3, "stride": 3}, {"kind": "patches", "size": 8, "stride": 4}],
)
def test_parts_come_with_their_gaps(whole_batch, parts):
    pairs = whole_batch[0]
    batches = PartBatches(pairs, 4, 0, CPU, parts=Parts.from_config(parts))
    found = 0
    for batch in batches.epoch(0):
        assert batch["seen"].shape == batch["target"].shape and batch["seen"].dtype == torch.bool
        found += int((~batch["seen"]).sum())
    assert found > 0


@pytest.mark.parametrize("name", ["slices", "patches"])
def test_a_recipe_of_parts_takes_the_gaps(entries, whole_batch, name):
    pairs, entry = whole_batch[0], entries[name]
    recipe = make(entry, pairs)
    batches = PartBatches(pairs, 6, 0, CPU, parts=Parts.from_config(entry["parts"]))
    for batch in batches.epoch(0):
        losses = recipe.step(batch, FP32)
    assert all(torch.isfinite(value) for value in losses.values())


def test_training_starts_at_the_mean_of_what_is_measured(whole_batch):
    pairs, _ = whole_batch

    class Network(torch.nn.Module):
        def start_at_mean(self, mean):
            self.mean = mean

    network = Network()
    start_at_mean(network, pairs.target, pairs.mask, pairs.seen)
    values = pairs.target[pairs.seen & pairs.mask]
    assert network.mean == pytest.approx(float(values.double().mean()))


@pytest.mark.parametrize("measure", [HeldOutSsim, HeldOutPsnr])
def test_validation_does_not_look_into_the_gap(whole_batch, measure):
    pairs, batch = whole_batch

    class Oracle(torch.nn.Module):
        """Right where a PET is measured, and wrong elsewhere."""

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))
            self.asked = 0

        def forward(self, mri):
            row, self.asked = self.asked, self.asked + 1
            noise = 0.01 * torch.linspace(0, 1, mri.numel()).view(mri.shape)
            return torch.where(batch["seen"][[row]], batch["target"][[row]] + noise, 5.0)

    recipe = torch.nn.Module()
    recipe.generator = Oracle()
    found = measure(pairs, None)(recipe, 1)
    assert found[measure.KEY] > (0.99 if measure is HeldOutSsim else 40)


def test_the_width_of_the_smoothing_is_chosen_on_what_is_measured(whole_batch):
    pairs, _ = whole_batch
    seen, mask = pairs.seen[:, 0].numpy(), pairs.mask.numpy()
    real = pairs.target[:, 0].numpy()
    made = np.where(seen, real, 7.0).astype(np.float32)

    def error(truth, found, inside):
        return -float(np.abs(truth - found)[inside].mean())

    width, scores = search_fwhm(made, real, mask, (2, 2, 2), (0, 4), error, seen)
    assert width == 0 and scores[0] == 0
    assert search_fwhm(made, real, mask, (2, 2, 2), (0, 4), error)[1][0] < -0.1
