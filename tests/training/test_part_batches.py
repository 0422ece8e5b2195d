import dataclasses

import pytest
import torch

from mri2pet.datasets.parts import Parts
from mri2pet.errors import InputError
from mri2pet.training.part_batches import PartBatches

CPU = torch.device("cpu")
SLICES = Parts("slices", 3, 3)
PATCHES = Parts("patches", 8, 4)


@pytest.fixture
def numbered(pairs):
    """Pairs whose every voxel has a value of its own."""
    values = torch.arange(pairs.source.numel(), dtype=torch.float64).view_as(pairs.source)
    mri = (values / values.max()).float()
    return dataclasses.replace(pairs, source=mri, target=(1 - mri) * pairs.mask)


def drawn(batches, epoch=0):
    return [part for batch in batches.epoch(epoch) for part in batch["source"]]


def test_slices_are_channels_and_fit_their_pet_and_mask(numbered):
    batches = PartBatches(numbered, 4, 0, CPU, parts=SLICES)
    for batch in batches.epoch(0):
        assert (
            batch["source"].shape == batch["target"].shape == batch["mask"].shape == (4, 3, 16, 16)
        )
        assert torch.equal(batch["target"], (1 - batch["source"]) * batch["mask"])
    # 16 slices: five triplets and one flush with the end
    first = numbered.source[:, 0].unfold(3, 3, 1).movedim(-1, 1)[..., [0, 3, 6, 9, 12, 13]]
    expected = {part.sum().item() for part in first.movedim(-1, 1).flatten(0, 1).double()}
    assert {part.double().sum().item() for part in drawn(batches)} == expected


def test_an_epoch_has_every_part_with_brain_once(numbered):
    batches = PartBatches(numbered, 9, 0, CPU, parts=PATCHES)
    found = [part[0, 0, 0, 0].item() for part in drawn(batches)]
    assert batches.count == 5 * 27  # three places along each axis
    assert len(set(found)) == 5 * 27
    assert len(batches) == len(list(batches.epoch(0))) == 15


def test_parts_without_enough_brain_are_left_out(numbered):
    numbered.mask[:, :, :8] = False
    least = dataclasses.replace(PATCHES, min_brain=0.2)
    assert PartBatches(numbered, 9, 0, CPU, parts=PATCHES).count == 5 * 9 * 2
    assert PartBatches(numbered, 9, 0, CPU, parts=least).count == 5 * 9 * 2
    most = dataclasses.replace(PATCHES, min_brain=0.9)
    with pytest.raises(InputError, match=r"no part of 8 voxels is brain to a share of 0\.9"):
        PartBatches(numbered, 9, 0, CPU, parts=most)


def test_some_parts_an_epoch_and_others_in_the_next(numbered):
    batches = PartBatches(numbered, 4, 0, CPU, parts=dataclasses.replace(SLICES, per_epoch=7))
    assert len(batches) == 2
    first, again, second = drawn(batches), drawn(batches), drawn(batches, 1)
    assert len(first) == 8
    assert torch.equal(first[7], first[0])  # filled up
    assert torch.equal(torch.stack(first), torch.stack(again))
    assert not torch.equal(torch.stack(first), torch.stack(second))


def test_only_the_volumes_are_held(numbered):
    """Parts are cut as they are asked for: no tensor but those of the volumes grows with them."""
    batches = PartBatches(numbered, 4, 0, CPU, parts=dataclasses.replace(PATCHES, stride=1))
    assert batches.count == 5 * 9**3
    held = sum(v.numel() for v in vars(batches).values() if isinstance(v, torch.Tensor))
    assert held == 2 * numbered.source.numel() + numbered.mask.numel()


@pytest.mark.parametrize(
    ("parts", "layout"), [(SLICES, torch.channels_last), (PATCHES, torch.channels_last_3d)]
)
def test_channels_are_innermost_if_asked_for(numbered, parts, layout):
    for batch in PartBatches(numbered, 4, 0, CPU, layout, parts=parts).epoch(0):
        assert batch["source"].is_contiguous(memory_format=layout)
