"""What the trainings of the papers are counted from."""

import os
import sys

import pytest
import torch
from torch import nn

from mri2pet.models.native.library import SWITCH


@pytest.fixture(scope="module")
def cost(root):
    before = os.environ.get(SWITCH)
    sys.path.insert(0, str(root / "benchmarks"))
    import paper_cost

    yield paper_cost
    sys.path.remove(str(root / "benchmarks"))
    # It takes torch's kernels; processes that later tests begin are to take what these tests take.
    os.environ.pop(SWITCH)
    if before is not None:
        os.environ[SWITCH] = before


def test_a_convolution_is_counted_by_hand(cost):
    with torch.device("meta"):
        layer = nn.Conv3d(2, 5, 3, padding=1)
    assert cost.forwards(layer, (2, 8, 8, 8)) == 2 * 2 * 5 * 27 * 8**3


def test_every_recipe_of_a_paper_has_its_passes(cost):
    for system in cost.PAPERS:
        entries = cost.trained(cost.paper(system), system)
        assert {entry["recipe"] for entry in entries.values()} <= cost.PASSES.keys()
        for entry in entries.values():
            judged = cost.PASSES[entry["recipe"]][1]
            assert bool(judged) == ("discriminator" in entry)


@pytest.mark.parametrize(
    ("parts", "shape", "number"),
    [
        (None, (1, 64, 64, 64), 1),
        ({"kind": "slices", "size": 3, "stride": 3}, (3, 64, 64), 21 + 1 / 3),
        ({"kind": "patches", "size": 32, "stride": 32}, (1, 32, 32, 32), 8),
        ({"kind": "patches", "size": 32, "stride": 8}, (1, 32, 32, 32), 125),
    ],
)
def test_parts_of_a_volume(cost, parts, shape, number):
    entry = {"generator": {"name": "unet3d"}} | ({"parts": parts} if parts else {})
    assert cost.seen(entry, (64, 64, 64)) == (shape, pytest.approx(number))


def test_maps_beside_the_mri_are_channels(cost):
    entry = {"generator": {"name": "unet3d", "maps": ["gm", "wm"]}}
    assert cost.seen(entry, (64, 64, 64)) == ((3, 64, 64, 64), 1.0)
