import pytest

from mri2pet.datasets.parts import Parts
from mri2pet.errors import InputError

SLICES = {"kind": "slices", "size": 3, "stride": 3}
PATCHES = {"kind": "patches", "size": 32, "stride": 8, "keep": 8}


def test_the_paper_has_46_triplets_of_slices_a_person():
    parts = Parts.from_config(SLICES)
    boxes = parts.boxes((157, 189, 136))
    assert len(boxes) == 46
    assert boxes[0] == (slice(0, 157), slice(0, 189), slice(0, 3))
    assert boxes[-1][2] == slice(133, 136)
    assert (parts.dimensions, parts.channels) == (2, 3)
    assert parts.sides((157, 189, 136)) == (157, 189)


def test_patches_are_cubes_at_the_stride_and_flush_with_the_end():
    parts = Parts.from_config(PATCHES)
    # the paper's 6069 a person are those of a box filled up to 160 x 192 x 160
    assert len(parts.boxes((160, 192, 160))) == 6069 == 17 * 21 * 17
    boxes = parts.boxes((157, 189, 136))
    assert len(boxes) == 17 * 21 * 14
    assert boxes[-1] == (slice(125, 157), slice(157, 189), slice(104, 136))
    assert (parts.dimensions, parts.channels) == (3, 1)
    assert parts.sides((157, 189, 136)) == (32, 32, 32)


def test_synthesis_has_the_stride_of_training_unless_it_names_its_own():
    assert Parts.from_config(SLICES).stacking_stride == 3
    assert Parts.from_config({**SLICES, "synthesis_stride": 1}).stacking_stride == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "cubes"}, r"parts\.kind: cubes"),
        ({"stride": 4}, r"parts\.stride: 4"),
        ({"keep": 4}, r"parts\.keep: 4"),
        ({"keep": 1}, r"parts\.synthesis_stride"),
        ({"per_epoch": 0}, r"parts\.per_epoch"),
        ({"min_brain": 2}, r"parts\.min_brain"),
        ({"sise": 3}, "parts: .*sise"),
    ],
)
def test_faulty_blocks_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        Parts.from_config({**SLICES, **change})


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="does not fit"):
        Parts.from_config(PATCHES).boxes((40, 31, 40))
