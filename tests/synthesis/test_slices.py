import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.synthesis.slices import synthesise_slices


@pytest.fixture
def volume():
    """A volume whose every voxel has a value of its own."""
    return torch.rand(7, 9, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("stride", "keep"), [(3, None), (2, None), (1, None), (1, 1), (2, 2), (3, 3)]
)
@pytest.mark.parametrize("depth", [3, 4, 15, 16])
def test_an_identity_gives_the_volume_back_bit_by_bit(volume, stride, keep, depth):
    """Order, seams and both ends, whether groups overlap, are disjoint or do not divide it."""
    cut = volume[:, :, :depth]
    made = synthesise_slices(lambda slices: slices, cut, 3, stride, 4, keep)
    assert made.dtype == torch.float32
    assert torch.equal(made, cut)


def test_groups_are_adjacent_transverse_slices_as_channels(volume):
    seen = []
    synthesise_slices(lambda s: seen.append(s) or s, volume, 3, 3, 2)
    groups = torch.cat(seen)
    starts = [0, 3, 6, 9, 12, 13]
    assert torch.equal(groups, torch.stack([volume[..., z : z + 3].movedim(2, 0) for z in starts]))
    assert max(len(some) for some in seen) == 2


def test_only_the_middle_slice_counts_but_at_the_ends(volume):
    """Each place of a group has a value of its own: what is left says which was taken."""
    places = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)
    made = synthesise_slices(lambda s: places.expand_as(s), volume, 3, 1, 4, keep=1)
    assert made[0, 0].tolist() == [1.0, *[2.0] * 14, 3.0]


def test_overlapping_slices_are_averaged(volume):
    places = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)
    made = synthesise_slices(lambda s: places.expand_as(s), volume, 3, 1, 4)
    assert made[0, 0].tolist() == [1.0, 1.5, *[2.0] * 12, 2.5, 3.0]


def test_gaps_are_refused(volume):
    with pytest.raises(InputError, match="keeping the middle 1 leaves gaps"):
        synthesise_slices(lambda s: s, volume, 3, 2, 4, keep=1)
    with pytest.raises(InputError, match="does not fit"):
        synthesise_slices(lambda s: s, volume[:, :, :2], 3, 3, 4)
