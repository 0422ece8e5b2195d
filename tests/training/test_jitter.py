"""Each MRI is shown multiplied by a factor of its own; nothing else of a batch changes."""

import dataclasses

import numpy as np
import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.training.data import PairBatches
from mri2pet.training.jitter import Jittered
from mri2pet.training.run import prepare
from mri2pet.training.settings import TrainingSettings

ENTRY = {
    "recipe": "regression",
    "generator": {"name": "unet3d", "filters": [4, 4]},
    "losses": {"l1": 1.0},
    "training": {"epochs": 2, "batch_size": 2, "learning_rate": 0.01},
}


@pytest.fixture
def batches(pairs):
    return PairBatches(pairs, 2, 7, torch.device("cpu"), torch.channels_last_3d)


def factors(jittered, plain, epoch):
    """Return each volume's factor, and check that it is one number a volume."""
    found = []
    for one, other in zip(jittered.epoch(epoch), plain.epoch(epoch), strict=True):
        assert torch.equal(one["target"], other["target"])
        assert set(one) == set(other)
        for mine, his in zip(one["source"], other["source"], strict=True):
            ratio = (mine[his > 0] / his[his > 0]).numpy()
            assert np.ptp(ratio) < 1e-5
            found.append(float(ratio[0]))
    return found


def test_each_volume_has_a_factor_of_its_own_and_new_ones_every_epoch(batches):
    jittered = Jittered(batches, 0.1, 3)
    drawn = [factors(jittered, batches, epoch) for epoch in range(200)]
    every = np.concatenate(drawn)
    assert len(set(every.round(6))) > 0.99 * len(every)
    assert every.mean() == pytest.approx(1, abs=0.02)
    assert every.std() == pytest.approx(0.1, rel=0.1)


def test_an_epoch_can_be_drawn_again_and_other_seeds_differ(batches):
    assert factors(Jittered(batches, 0.1, 3), batches, 5) == factors(
        Jittered(batches, 0.1, 3), batches, 5
    )
    assert factors(Jittered(batches, 0.1, 3), batches, 5) != factors(
        Jittered(batches, 0.1, 4), batches, 5
    )


def test_the_layout_and_the_number_of_batches_stay(batches):
    jittered = Jittered(batches, 0.1, 3)
    assert len(jittered) == len(batches)
    batch = next(iter(jittered.epoch(0)))
    assert batch["source"].is_contiguous(memory_format=torch.channels_last_3d)
    assert batch["source"].dtype == torch.float32


def test_maps_behind_the_mri_keep_their_unit(pairs):
    pairs = dataclasses.replace(pairs, source=pairs.source.repeat(1, 3, 1, 1, 1))
    plain = PairBatches(pairs, 2, 7, torch.device("cpu"), torch.channels_last_3d)
    shown = zip(Jittered(plain, 0.1, 3, 1).epoch(1), plain.epoch(1), strict=True)
    for batch, before in shown:
        assert torch.equal(batch["source"][:, 1:], before["source"][:, 1:])
        assert not torch.equal(batch["source"][:, :1], before["source"][:, :1])
        assert batch["source"].is_contiguous(memory_format=torch.channels_last_3d)


def test_a_training_takes_it_from_its_settings(pairs):
    plain = prepare(ENTRY, pairs, "unet", 0, 1)
    assert plain.batches is plain.plain
    entry = ENTRY | {"training": ENTRY["training"] | {"jitter": 0.2}}
    made = prepare(entry, pairs, "unet", 0, 1)
    assert isinstance(made.batches, Jittered) and made.batches.plain is made.plain


@pytest.mark.parametrize("jitter", [-0.1, 1.0, 3])
def test_a_jitter_that_is_not_possible_is_refused(jitter):
    with pytest.raises(InputError, match=r"training\.jitter"):
        TrainingSettings.from_config(ENTRY["training"] | {"jitter": jitter})
