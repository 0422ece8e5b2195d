"""Volumes from patches: exact for the identity, streaming, complete at the rim."""

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from mri2pet.datasets.parts import patch_starts
from mri2pet.errors import InputError
from mri2pet.synthesis.patches import synthesise_patches

SHAPES = [(32, 32, 32), (40, 36, 32), (37, 50, 33)]


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 5 * torch.randn(*shape, generator=generator)


def peak_bytes(stride, batch=4, side=48):
    """Return the most bytes that tensors held at once, and the number of patches."""
    volume = noise(1, side, side, 16)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        synthesise_patches(lambda x: x * 1.0, volume, 16, stride, batch)
    events = [e for e in record.profiler.kineto_results.events() if e.name() == "[memory]"]
    held = np.cumsum([e.nbytes() for e in sorted(events, key=lambda e: e.start_ns())])
    return int(held.max()), len(patch_starts(side, 16, stride)) ** 2


def test_the_reports_patches_are_counted_as_it_counts_them():
    assert patch_starts(224, 32, 8)[-1] == 192
    assert len(patch_starts(224, 32, 8)) ** 2 * len(patch_starts(32, 32, 8)) == 625
    assert len(patch_starts(224, 32, 32)) ** 2 * len(patch_starts(32, 32, 32)) == 49


def test_the_last_patch_is_flush_with_the_end():
    assert patch_starts(37, 16, 8) == [0, 8, 16, 21]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stride", [5, 8, 16, 32])
@pytest.mark.parametrize("keep", [None, 32])
def test_the_identity_returns_the_volume(shape, stride, keep):
    volume = noise(2, *shape)
    made = synthesise_patches(lambda x: x, volume, 32, stride, batch=7, keep=keep)
    assert made.dtype == torch.float32
    assert (made - volume).abs().max() <= 1e-6


@pytest.mark.parametrize("keep", [8, 9, 12, 31])
def test_the_identity_returns_the_volume_from_the_middle_of_patches(keep):
    volume = noise(1, 45, 33, 40)
    made = synthesise_patches(lambda x: x, volume, 32, 8, batch=3, keep=keep)
    assert (made - volume).abs().max() <= 1e-6


def test_overlaps_are_averaged():
    count = iter(range(100))

    def numbered(patches):
        return torch.stack([torch.full_like(patch, next(count)) for patch in patches])

    made = synthesise_patches(numbered, torch.zeros(1, 6, 4, 4), 4, 2, batch=1)
    assert made[0, :, 0, 0].tolist() == [0, 0, 0.5, 0.5, 1, 1]


def test_only_the_middle_of_a_patch_counts_but_for_the_rim():
    def marked(patches):  # wrong everywhere but in the middle two
        wrong = torch.full_like(patches, 9.0)
        wrong[..., 3:5, 3:5, 3:5] = 1
        return wrong

    made = synthesise_patches(marked, torch.zeros(1, 12, 12, 12), 8, 2, batch=2, keep=2)
    assert (made[0, 3:9, 3:9, 3:9] == 1).all()
    assert (made[0, :3] == 9).all()
    assert (made[0, 9:] == 9).all()


def test_the_result_does_not_depend_on_the_batch_size():
    volume = noise(1, 40, 32, 32)
    whole = synthesise_patches(torch.tanh, volume, 16, 8, batch=1000)
    single = synthesise_patches(torch.tanh, volume, 16, 8, batch=1)
    assert torch.equal(whole, single)


def test_channels_of_the_result_are_the_networks():
    made = synthesise_patches(lambda x: x.repeat(1, 3, 1, 1, 1), noise(2, 16, 16, 16), 16, 8, 2)
    assert made.shape == (6, 16, 16, 16)


def test_memory_does_not_grow_with_the_number_of_patches():
    few, many = peak_bytes(stride=16), peak_bytes(stride=2)
    assert (few[1], many[1]) == (9, 289)
    assert many[0] < few[0] + 4 * 16**3 * 4  # no more than a batch apart
    all_at_once = peak_bytes(stride=2, batch=289)
    assert all_at_once[0] > 289 * 16**3 * 4  # the measure sees what would grow


@pytest.mark.parametrize(
    ("shape", "size", "stride", "keep", "fault"),
    [
        ((16, 16, 12), 16, 8, None, "does not fit an axis of 12"),
        ((16, 16, 16), 8, 9, None, "gaps"),
        ((16, 16, 16), 8, 4, 3, "leaves gaps"),
        ((16, 16, 16), 8, 4, 9, "keep 4 to 8"),
        ((16, 16, 16), 8, 0, None, "do not cover"),
    ],
)
def test_patches_that_do_not_cover_the_volume_are_refused(shape, size, stride, keep, fault):
    with pytest.raises(InputError, match=fault):
        synthesise_patches(lambda x: x, torch.zeros(1, *shape), size, stride, 1, keep)
