"""Training of the siamese autoencoder: pairs, loss, and what it is for."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from mri2pet.anomaly.encoder import train_encoder
from mri2pet.errors import InputError
from mri2pet.training.settings import Precision, TrainingSettings
from mri2pet.training.siamese_recipe import PatchPairs, Siamese

CPU = torch.device("cpu")
NETWORK = {"name": "siamese", "patch": 5, "features": 16, "filters": [8], "kernels": [3]}
CONFIG = {
    "network": NETWORK | {"strides": [1]},
    "similarity": 0.1,
    "pairs": 1024,
    "training": {"epochs": 2, "batch_size": 32, "learning_rate": 0.005, "schedule": "cosine"},
}


def people(count=4, shape=(20, 22, 6), seed=0):
    """Volumes of a common pattern, each with differences of its own; the mask within."""
    rng = np.random.default_rng(seed)

    def field(width):
        made = gaussian_filter(rng.standard_normal(shape), width)
        return made / made.std()

    common = field(1.5)
    volumes = np.stack([0.5 + 0.15 * common + 0.03 * field(1.5) for _ in range(count)])
    mask = np.zeros(shape, bool)
    mask[3:-3, 3:-3, 1:-1] = True
    return volumes.astype(np.float32), mask


def batches(volumes, mask, **changes):
    kwargs = {"patch": 5, "pairs": 64, "batch_size": 16, "seed": 3, "device": CPU}
    return PatchPairs(volumes, mask, **(kwargs | changes))


def test_pairs_are_of_one_place_in_two_people():
    shape = (9, 10, 4)
    place = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    volumes = np.stack([place, place + 1000, place + 2000])
    mask = np.zeros(shape, bool)
    mask[0, 0, 2] = mask[4, 5, 1] = mask[8, 9, 3] = True
    seen = set()
    for batch in batches(volumes, mask, pairs=400).epoch(0):
        one, other = batch["patches"][:, 0].chunk(2)
        middles = one[:, 2, 2].numpy(), other[:, 2, 2].numpy()
        assert (middles[0] % 1000 == middles[1] % 1000).all()
        assert (middles[0] // 1000 != middles[1] // 1000).all()
        seen |= set(middles[0].tolist()) | set(middles[1].tolist())
    values = place[mask]
    assert seen == {float(v + 1000 * k) for v in values for k in range(3)}


def test_patch_is_the_neighbourhood_in_the_transverse_slice():
    volumes, mask = people(2)
    mask[:] = False
    mask[0, 5, 3] = True
    (batch,) = batches(volumes, mask, pairs=8, batch_size=8).epoch(0)
    padded = np.pad(volumes, ((0, 0), (2, 2), (2, 2), (0, 0)))
    expected = padded[:, 0:5, 5:10, 3]
    for patch in batch["patches"][:, 0].numpy():
        assert min(np.abs(patch - one).max() for one in expected) == 0


def test_epochs_repeat_themselves_and_differ():
    made = batches(*people())

    def values(epoch):
        return torch.cat([batch["patches"] for batch in made.epoch(epoch)])

    assert torch.equal(values(1), values(1))
    assert not torch.equal(values(0), values(1))
    assert len(made) == len(list(made.epoch(0))) == 4


def test_one_person_makes_no_pair():
    volumes, mask = people(1)
    with pytest.raises(InputError, match="pairs need at least two"):
        batches(volumes, mask)


def test_loss_is_reconstruction_and_weighted_unlikeness():
    torch.manual_seed(0)
    settings = TrainingSettings(epochs=1, batch_size=16, learning_rate=0.01)
    recipe = Siamese({"network": CONFIG["network"], "similarity": 0.7}, settings)
    (batch, *_) = batches(*people()).epoch(0)
    with torch.no_grad():
        codes, restored = recipe.generator(batch["patches"])
        error = (restored - recipe.generator.standardised(batch["patches"])).square().mean()
        one, other = codes[:16], codes[16:]
        cosine = (one * other).sum(1) / (one.norm(dim=1) * other.norm(dim=1))
    losses = recipe.step(batch, Precision("fp32", CPU))
    torch.testing.assert_close(losses["total"], error + 0.7 * (1 - cosine.mean()))


@pytest.fixture(scope="module")
def trained():
    volumes, mask = people()
    return *train_encoder(CONFIG, volumes, mask, "real", 0, 1), volumes, mask


def test_same_place_is_closer_than_another(trained):
    network, _, _, mask = trained
    volumes, _ = people(8)  # the last four were not trained on
    with torch.no_grad():
        codes = network.dense(torch.from_numpy(volumes[4:, :, :, 3])[:, None])
    codes = codes[..., torch.from_numpy(mask[:, :, 3])].permute(0, 2, 1)
    same = torch.cosine_similarity(codes[0], codes[1], dim=-1)
    shuffled = codes[1][torch.randperm(codes.shape[1], generator=torch.Generator().manual_seed(0))]
    apart = torch.cosine_similarity(codes[0], shuffled, dim=-1)
    assert same.mean() > apart.mean() + 0.2
    assert (same > apart).float().mean() > 0.8


def test_training_restores_and_does_not_collapse(trained):
    network, history, volumes, mask = trained
    assert history[-1]["reconstruction"] < 0.5 < history[0]["reconstruction"] * 2
    with torch.no_grad():
        codes = network.dense(torch.from_numpy(volumes[:1, :, :, 3])[:, None])
    spread = codes[0, :, torch.from_numpy(mask[:, :, 3])].std(1)
    assert (spread > 1e-3).sum() >= 8


def test_training_repeats_itself(trained):
    network, history, volumes, mask = trained
    again, same = train_encoder(CONFIG, volumes, mask, "real", 0, 1)
    assert [row["total"] for row in same] == [row["total"] for row in history]
    for name, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])


def test_training_goes_on_after_an_interruption(trained, tmp_path, monkeypatch):
    network, _, volumes, mask = trained
    short = CONFIG | {"training": CONFIG["training"]}
    original = PatchPairs.epoch

    def stop(self, epoch):
        if epoch == 1:
            raise KeyboardInterrupt
        return original(self, epoch)

    monkeypatch.setattr(PatchPairs, "epoch", stop)
    with pytest.raises(KeyboardInterrupt):
        train_encoder(short, volumes, mask, "real", 0, 1, checkpoint=tmp_path / "c.pt")
    monkeypatch.setattr(PatchPairs, "epoch", original)
    again, _ = train_encoder(short, volumes, mask, "real", 0, 1, checkpoint=tmp_path / "c.pt")
    for name, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
