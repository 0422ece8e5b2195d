"""Some people of a batch are shown left for right, about the brain's own plane of symmetry."""

import dataclasses

import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.training.data import PairBatches
from mri2pet.training.mirror import Mirrored, mirrored, plane
from mri2pet.training.run import prepare

ENTRY = {
    "recipe": "regression",
    "generator": {"name": "unet3d", "filters": [4, 4]},
    "losses": {"l1": 1.0},
    "training": {"epochs": 2, "batch_size": 2, "learning_rate": 0.01, "mirror": True},
}
LAYOUT = torch.channels_last_3d


@pytest.fixture
def batches(pairs):
    return PairBatches(pairs, 2, 7, torch.device("cpu"), LAYOUT)


def seen_mirrored(batch, plain, shift):
    """Say of each person whether source and target are mirrored; both or none must be."""
    found = []
    for place in range(len(plain["source"])):
        told = []
        for name in ("source", "target"):
            before, after = plain[name][place : place + 1], batch[name][place : place + 1]
            same, turned = (torch.equal(after, v) for v in (before, mirrored(before, shift)))
            assert same != turned
            told.append(turned)
        assert told[0] == told[1]
        found.append(told[0])
    return found


def test_half_of_all_are_mirrored_and_mri_and_pet_together(batches, pairs):
    shown = Mirrored(batches, pairs.mask, 3)
    found = []
    for epoch in range(100):
        for batch, plain in zip(shown.epoch(epoch), batches.epoch(epoch), strict=True):
            assert set(batch) == set(plain)
            found += seen_mirrored(batch, plain, shown.shift)
    assert 0.4 < sum(found) / len(found) < 0.6
    assert len(shown) == len(batches)


def test_an_epoch_can_be_drawn_again_and_other_seeds_differ(batches, pairs):
    def drawn(seed):
        return [batch["source"] for batch in Mirrored(batches, pairs.mask, seed).epoch(5)]

    assert all(torch.equal(*two) for two in zip(drawn(3), drawn(3), strict=True))
    assert not all(torch.equal(*two) for two in zip(drawn(3), drawn(4), strict=True))


def test_what_is_not_measured_goes_along_and_the_layout_stays(pairs):
    source = pairs.source.repeat(1, 3, 1, 1, 1)
    seen = torch.rand(pairs.target.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    pairs = dataclasses.replace(pairs, source=source, seen=seen)
    plain = PairBatches(pairs, 2, 7, torch.device("cpu"), LAYOUT)
    shown = Mirrored(plain, pairs.mask, 3)
    turned = 0
    for epoch in range(4):
        for batch, before in zip(shown.epoch(epoch), plain.epoch(epoch), strict=True):
            assert batch["source"].is_contiguous(memory_format=LAYOUT)
            told = seen_mirrored(batch, before, shown.shift)
            for place, own in enumerate(told):
                wanted = before["seen"][place : place + 1]
                wanted = mirrored(wanted, shown.shift) if own else wanted
                assert torch.equal(batch["seen"][place : place + 1], wanted)
            turned += sum(told)
    assert turned


@pytest.mark.parametrize("moved", [-3, -1, 0, 2, 4])
def test_the_plane_is_that_of_the_mask(moved):
    mask = torch.zeros(20, 9, 9, dtype=torch.bool)
    mask[5:15, 2:7, 2:7] = True  # symmetric about the middle of the grid
    mask[8:12, 7, 4] = True
    assert plane(mask.roll(moved, 0)) == 2 * moved  # half voxels
    wider = mask | mask.roll(1, 0)
    assert plane(wider.roll(moved - 1, 0)) == 2 * moved - 1


def test_mirroring_twice_gives_the_volume_back_and_nothing_comes_from_beyond():
    volume = torch.rand(1, 2, 8, 3, 3, generator=torch.Generator().manual_seed(2))
    for shift in (-2, -1, 0, 1, 2):
        twice = mirrored(mirrored(volume, shift), shift)
        kept = slice(max(shift, 0), 8 + min(shift, 0))
        assert torch.equal(twice[:, :, kept], volume[:, :, kept])
        lost = torch.cat([twice[:, :, : max(shift, 0)], twice[:, :, 8 + min(shift, 0) :]], dim=2)
        assert not lost.any()


def test_a_training_takes_it_from_its_settings_and_parts_cannot_be_mirrored(pairs):
    made = prepare(ENTRY, pairs, "unet", 0, 1)
    assert isinstance(made.batches, Mirrored) and made.batches.plain is made.plain
    parts = {"kind": "slices", "size": 3, "stride": 3}
    slices = {"name": "resnet", "filters": [4, 4, 4], "blocks": 1}
    with pytest.raises(InputError, match=r"small: training\.mirror is of whole volumes"):
        prepare(ENTRY | {"parts": parts, "generator": slices}, pairs, "small", 0, 1)
