"""Slices of a DICOM series: each within .1 mm of its own place after conversion, or refused."""

import re

import nibabel as nib
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from series_fakes import AXIAL, stored, straight, write_stack

from mri2pet.conversion.scan_to_bids import convert_scan
from mri2pet.errors import ScanError

COUNT, MARK = 14, (4, 15)  # slices; row and column of a mark in every slice
REASON = "slanted|not equally spaced|not parallel|is missing|slice positions|is there 2 times"


def marked(count=COUNT):
    """Stored values with 5000 + k at the mark of slice k."""
    values = stored(count)
    values[:, MARK[0], MARK[1]] = 5000 + np.arange(count)
    return values


def convert(folder, places, axes=AXIAL, spacing=(5.0, 6.0), modality="MR", **fields):
    """Write, convert and load a series; its marks are checked against their own places (mm)."""
    values = marked(len(places))
    write_stack(folder / "I1", places, values, axes, spacing, modality, **fields)
    told = convert_scan(folder, 1, {"MR": "MRI", "PT": "PET"}[modality], folder / "out.nii.gz")
    image = nib.load(folder / "out.nii.gz")
    data = np.asanyarray(image.dataobj)
    each = np.broadcast_to(np.asarray(axes, float), (len(places), 6))
    off = []
    for k, place in enumerate(places):
        (voxel,) = np.argwhere(data == 5000 + k)
        across, down = each[k, :3], each[k, 3:]
        truth = place + MARK[1] * spacing[1] * across + MARK[0] * spacing[0] * down
        found = nib.affines.apply_affine(image.affine, voxel)
        off.append(np.linalg.norm(found * (-1, -1, 1) - truth))
    return image, told, max(off)


def turned(x=0.0, y=0.0, z=0.0, start=AXIAL):
    """Direction cosines turned about the three axes (radians)."""
    turn = nib.eulerangles.euler2mat(z, y, x)
    return np.concatenate([turn @ start[:3], turn @ start[3:]])


STARTS = {
    "axial": AXIAL,
    "axial, rows backwards": (-1, 0, 0, 0, -1, 0),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "coronal": (1, 0, 0, 0, 0, -1),
}


@pytest.mark.parametrize("three", [None, "3D"])
@pytest.mark.parametrize("start", STARTS)
def test_straight_stacks_keep_dcm2niix_affine_in_every_orientation(tmp_path, start, three):
    axes = turned(0.1, -0.05, 0.12, STARTS[start])
    places = straight(COUNT, 4.0, axes=axes)
    _, told, off = convert(tmp_path, places, axes, MRAcquisitionType=three)
    assert off < 0.01
    assert "CorrectedToSource" not in told


GAPS = {
    "rounded to .1 mm": lambda k: np.round(1.25 * k, 1),
    "fine, rounded to .1 mm": lambda k: np.round(0.73 * k, 1),
    "alternately too high and too low": lambda k: 3.6 * k + 0.045 * (-1.0) ** k,
    "the first slice alone off": lambda k: 3 * k + 0.15 * (k == 0),
    "the last slice alone off": lambda k: 3 * k - 0.15 * (k == COUNT - 1),
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("gaps", GAPS)
def test_gaps_that_differ_give_the_mean_gap(tmp_path, gaps, start):
    axes = STARTS[start]
    heights = GAPS[gaps](np.arange(COUNT))
    places = straight(1, axes=axes) + heights[:, None] * np.cross(axes[:3], axes[3:])
    image, told, off = convert(tmp_path, places, axes)
    assert off <= 0.1 + 1e-3
    mean = (heights[-1] - heights[0]) / (COUNT - 1)
    sizes = nib.affines.voxel_sizes(image.affine)
    assert np.abs(sizes - mean).min() < 1e-4
    assert told["CorrectedToSource"] == ["affine"]


@pytest.mark.parametrize("modality", ["MR", "PT"])
@pytest.mark.parametrize("along", [0, 1])
@pytest.mark.parametrize("drift", [0.02, 0.3, 3.0])
def test_a_slanted_stack_is_refused(tmp_path, drift, along, modality):
    places = straight(COUNT)
    places[:, along] += drift * np.arange(COUNT)
    with pytest.raises(ScanError, match=r"I1: from the first to the last they slide [\d.]+ mm"):
        convert(tmp_path, places, modality=modality)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda places, axes: places.__setitem__((5, 2), places[5, 2] + 0.4), "6_S1_I1.dcm is"),
        (lambda places, axes: places.__setitem__((5, 0), places[5, 0] + 0.4), "6_S1_I1.dcm is"),
        (lambda places, axes: axes.__setitem__(7, turned(0, 0, 9e-4 * 3)), "not parallel"),
        (lambda places, axes: axes.__setitem__(slice(7, None), (1, 4e-3, 0, 0, 1, 0)), "parallel"),
        (lambda places, axes: axes.__setitem__(slice(None), (1, 4e-3, 0, 0, 1, 0)), "equally"),
    ],
    ids=["high", "sideways", "one turned", "half not square", "none square"],
)
def test_a_slice_out_of_the_row_is_refused(tmp_path, spoil, reason):
    places, axes = straight(COUNT), np.tile(AXIAL, (COUNT, 1))
    spoil(places, axes)
    with pytest.raises(ScanError, match=reason):
        convert(tmp_path, places, axes, spacing=(12.0, 11.0))


def test_slices_of_two_pixel_spacings_are_refused(tmp_path):
    files = write_stack(tmp_path / "I1", straight(COUNT))
    for path in files[:5]:
        header = pydicom.dcmread(path)
        header.PixelSpacing = [5.05, 6]
        header.save_as(path)
    with pytest.raises(ScanError, match="not equally spaced and parallel"):
        convert_scan(tmp_path, 1, "MRI", tmp_path / "out.nii.gz")


@pytest.mark.parametrize("spacing", [None, [0, 6], [5]])
def test_a_series_without_pixel_spacing_is_refused(tmp_path, spacing):
    for path in write_stack(tmp_path / "I1", straight(COUNT)):
        header = pydicom.dcmread(path)
        header.PixelSpacing = spacing
        header.save_as(path)
    with pytest.raises(ScanError, match="pixel spacing in the DICOM header"):
        convert_scan(tmp_path, 1, "MRI", tmp_path / "out.nii.gz")


@st.composite
def series(draw):
    """Places, axes and spacing of a series, and how far it is from an even, straight one (mm)."""
    start = draw(st.sampled_from(list(STARTS.values())))
    axes = turned(*(draw(st.floats(-0.3, 0.3)) for _ in range(3)), start)
    count, gap = draw(st.integers(5, 16)), draw(st.floats(0.7, 7))
    places = straight(count, gap, axes=axes)
    normal = np.cross(axes[:3], axes[3:])
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    jitter = draw(st.sampled_from([0, 0, 0.02, 0.09, 0.3])) * rng.uniform(-1, 1, (count, 3))
    slide = draw(st.sampled_from([0, 0, 0, 0.004, 0.02, 0.5])) * np.arange(count)[:, None]
    jump = draw(st.sampled_from([0, 0, 0, 0.05, 0.6])) * (np.arange(count) >= count // 2)
    moved = jitter + slide * axes[:3] + jump[:, None] * normal
    spacing = draw(st.floats(3, 8)), draw(st.floats(3, 8))
    return places + moved, axes, spacing, np.abs(moved).max()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(series(), st.sampled_from(["MR", "PT"]))
def test_any_geometry_is_right_or_refused(tmp_path_factory, case, modality):
    places, axes, spacing, moved = case
    try:
        _, _, off = convert(tmp_path_factory.mktemp("any"), places, axes, spacing, modality)
    except ScanError as error:
        assert moved > 0.02, error
        assert re.search(REASON, str(error)), error
    else:
        assert off <= 0.1 + 1e-3
