import pytest
import torch
from torch import nn

from mri2pet.errors import InputError
from mri2pet.models.gla_gan import GlaGan
from mri2pet.models.lobes import (
    LOBES,
    LobePaths,
    bounding_box,
    lobe_map,
    lobe_of_label,
    squared_distance,
)

SIDE = 12
FILTERS = (2, 2)
# One label of each lobe and a part of AAL's name that tells its lobe.
KNOWN = {
    "frontal": [1, 3, 19, 28, 70],  # precentral, superior frontal, SMA, rectus, paracentral
    "central": [29, 32, 38, 42, 71, 78],  # insula, cingulum, hippocampus, amygdala, caudate
    "occipital": [43, 46, 48, 54],  # calcarine, cuneus, lingual, inferior occipital
    "temporal": [55, 79, 84, 90],  # fusiform, Heschl, pole, inferior temporal
    "parietal": [57, 60, 66, 68],  # postcentral, superior parietal, angular, precuneus
    "cerebellum": [91, 108, 116],  # crus 1, lobule 10, vermis 10
}


@pytest.fixture
def anatomy():
    """Six lobes as crooked columns in a volume with a margin, some voxels without a label."""
    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(SIDE, SIDE, SIDE, dtype=torch.bool)
    mask[1:-1, 1:-1, 1:-1] = True
    x, y, z = torch.meshgrid(*[torch.arange(SIDE)] * 3, indexing="ij")
    column = ((x + (y + z) // 4) // 3 + 3 * (z > 5)).clamp(max=5)
    labels = torch.tensor([labels[0] for labels in KNOWN.values()])[column]
    labels[torch.rand(labels.shape, generator=generator) < 0.3] = 0
    return (labels * mask).to(torch.uint8), mask


@pytest.fixture
def local(anatomy):
    torch.manual_seed(0)
    paths = LobePaths(FILTERS)
    paths.use_atlas(*anatomy)
    return paths.eval()


def test_every_label_of_aal_is_in_one_lobe():
    counts = torch.zeros(117, dtype=int)
    for runs in LOBES.values():
        for first, last in runs:
            counts[first : last + 1] += 1
    assert counts[0] == 0
    assert (counts[1:] == 1).all()


def test_labels_are_in_the_lobe_of_their_name():
    table = lobe_of_label()
    names = list(LOBES)
    for lobe, labels in KNOWN.items():
        assert {names[table[label] - 1] for label in labels} == {lobe}
    # Left and right of a pair stay together.
    assert torch.equal(table[1:108:2], table[2:109:2])


def test_every_voxel_of_the_brain_is_in_one_lobe(anatomy):
    atlas, mask = anatomy
    lobes = lobe_map(atlas, mask)
    assert torch.equal(lobes > 0, mask)
    labelled = atlas > 0
    assert torch.equal(lobes[labelled], lobe_of_label()[atlas.long()][labelled])


def test_a_voxel_without_label_goes_to_the_nearest():
    atlas = torch.zeros(12, 3, 3, dtype=torch.uint8)
    for place, labels in enumerate(KNOWN.values()):
        atlas[2 * place, 1, 1] = labels[0]
    atlas[1, 0, 1] = 1  # nearer to frontal than to central
    lobes = lobe_map(atlas, torch.ones_like(atlas, dtype=torch.bool))
    assert lobes[1, 0, 0] == 1
    assert lobes[11, 1, 1] == 6


def test_squared_distance_is_that_of_all_pairs():
    inside = torch.rand(5, 6, 7, generator=torch.Generator().manual_seed(0)) < 0.05
    places = torch.cartesian_prod(*(torch.arange(size) for size in inside.shape)).double()
    expected = torch.cdist(places, places[inside.flatten()]).amin(dim=1).square()
    measured = squared_distance(inside).flatten().double()
    torch.testing.assert_close(measured, expected)
    assert squared_distance(torch.zeros(2, 2, 2, dtype=torch.bool)).isinf().all()


def test_atlas_that_does_not_fit_is_refused(anatomy):
    atlas, mask = anatomy
    with pytest.raises(InputError, match="no voxel of cerebellum"):
        lobe_map(torch.where(atlas > 90, 0, atlas), mask)
    with pytest.raises(InputError, match="label 117"):
        lobe_map(torch.where(atlas > 90, 117, atlas), mask)


def test_boxes_hold_their_lobe_and_are_rounded_up_within_the_volume():
    inside = torch.zeros(10, 10, 10, dtype=torch.bool)
    inside[7:10, 2:4, 0:9] = True
    box = bounding_box(inside, 4)
    assert box == (slice(6, 10), slice(2, 6), slice(0, 10))
    rest = inside.clone()
    rest[box] = False
    assert not rest.any()


def test_fused_lobes_are_in_their_places(local, anatomy):
    local.paths = nn.ModuleList(nn.Identity() for _ in LOBES)
    local.width = 1
    volume = torch.rand(2, 1, SIDE, SIDE, SIDE)
    assert torch.equal(local(volume), volume * anatomy[1])


def test_each_lobe_has_a_path_of_its_own(local):
    class Number(nn.Module):
        def __init__(self, number):
            super().__init__()
            self.number = number

        def forward(self, x):
            return torch.full_like(x, self.number)

    local.paths = nn.ModuleList(Number(i) for i in range(1, 7))
    local.width = 1
    assert torch.equal(local(torch.rand(1, 1, SIDE, SIDE, SIDE))[0, 0], local.lobes.float())


def test_a_local_path_sees_its_own_lobe_only(local):
    volume = torch.rand(1, 1, SIDE, SIDE, SIDE)
    before = local(volume)
    for changed in range(len(LOBES) + 1):
        other = volume + (local.lobes == changed)
        differs = (local(other) != before).any(dim=1)[0]
        assert not differs[local.lobes != changed].any()
        assert differs.any() == (changed > 0)


def test_lobes_come_back_with_the_weights_alone(anatomy):
    torch.manual_seed(0)
    network = GlaGan(FILTERS, "lobes")
    network.use_atlas(*anatomy)
    volume = torch.rand(2, 1, SIDE, SIDE, SIDE)
    network(volume)
    twin = GlaGan(FILTERS, "lobes")
    with pytest.raises(InputError, match="do not fit the lobes"):
        twin(volume)
    twin.load_state_dict(network.state_dict())
    assert torch.equal(twin.eval()(volume), network.eval()(volume))
    twin.local_paths.lobes.zero_()
    assert network.local_paths.lobes.any()


def test_every_parameter_is_trained(anatomy):
    torch.manual_seed(0)
    network = GlaGan(FILTERS, "lobes")
    network.use_atlas(*anatomy)
    network(torch.rand(2, 1, SIDE, SIDE, SIDE)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_cuboids_take_no_atlas(anatomy):
    network = GlaGan(FILTERS, 4)
    before = set(network.state_dict())
    network.use_atlas(*anatomy)
    assert set(network.state_dict()) == before
