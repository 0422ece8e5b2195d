"""Values of converted DICOM: stored value times slope of every slice within 1e-4, or refused."""

import re

import nibabel as nib
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate
from series_fakes import stored, straight, write_stack

from mri2pet.conversion.scan_to_bids import convert_scan
from mri2pet.errors import ScanError

COUNT = 9


def convert(folder, spoil=None, modality="PT", places=None, values=None, **options):
    """Write, spoil and convert a series; return values as stored (slice, row, column), sidecar."""
    places = straight(COUNT) if places is None else places
    values = stored(len(places)) if values is None else values
    files = write_stack(folder / "I1", places, values, modality=modality, **options)
    if spoil:
        spoil(files)
    told = convert_scan(folder, 1, {"MR": "MRI", "PT": "PET"}[modality], folder / "out.nii.gz")
    image = nib.as_closest_canonical(nib.load(folder / "out.nii.gz"))
    data = np.asarray(image.dataobj, float)
    return data[::-1, ::-1].transpose(2, 1, 0), told  # DICOM's x runs left, y back


def scaled(slopes, intercepts=0.0, values=None):
    """Return stored values times the slopes that decimal strings of nine digits keep."""
    values = stored(len(slopes)) if values is None else values
    written = np.array([float(f"{slope:.9g}") for slope in slopes])
    return values * written[:, None, None] + np.reshape(intercepts, (-1, 1, 1))


@pytest.mark.parametrize("modality", ["PT", "MR"])
@pytest.mark.parametrize("size", [1e3, 1.0, 1e-4, 1e-7, 1e-8, 1e-12])
def test_slopes_by_slice_of_any_size_are_kept(tmp_path, size, modality):
    slopes = size * np.linspace(1, 1.6, COUNT)
    made, told = convert(tmp_path, modality=modality, slopes=slopes)
    np.testing.assert_allclose(made, scaled(slopes), rtol=1e-4)
    assert ("values" in told.get("CorrectedToSource", [])) == (size < 1e-6)


@pytest.mark.parametrize("last", [1.0, 1.0005, 50.0])
def test_one_slice_of_another_small_slope(tmp_path, last):
    slopes = np.full(COUNT, 2e-9)
    slopes[-1] *= last
    made, _ = convert(tmp_path, slopes=slopes)
    np.testing.assert_allclose(made, scaled(slopes), rtol=1e-4)


def test_intercepts_by_slice_are_kept(tmp_path):
    slopes, intercepts = np.full(COUNT, 0.5), np.linspace(0, 40, COUNT)
    made, _ = convert(tmp_path, slopes=slopes, intercepts=intercepts)
    np.testing.assert_allclose(made, scaled(slopes, intercepts), rtol=1e-4)


@pytest.mark.parametrize("numbering", ["frame by frame", "place by place", "backwards"])
@pytest.mark.parametrize("size", [1.0, 1e-9])
def test_time_frames_are_averaged_with_the_slopes_of_each(tmp_path, size, numbering):
    frames, places = 3, np.tile(straight(COUNT), (3, 1))
    order = np.arange(frames * COUNT).reshape(frames, COUNT)
    numbers = {
        "frame by frame": order + 1,
        "place by place": order.T.ravel().argsort().reshape(order.shape) + 1,
        "backwards": order[:, ::-1] + 1,
    }[numbering].ravel()
    slopes, values = size * np.linspace(1, 3, len(places)), stored(len(places))
    made, told = convert(
        tmp_path, places=places, values=values, slopes=slopes, frames=frames, numbers=numbers
    )
    wanted = scaled(slopes, values=values).reshape(frames, COUNT, *values.shape[1:]).mean(axis=0)
    np.testing.assert_allclose(made, wanted, rtol=1e-4)
    assert told["FramesAveraged"] == frames


@pytest.mark.parametrize("modality", ["MR", "PT"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_slices_numbered_in_any_order_are_all_there(tmp_path, modality, seed):
    numbers = np.random.default_rng(seed).permutation(COUNT) + 1
    made, _ = convert(tmp_path, modality=modality, numbers=numbers)
    np.testing.assert_allclose(made, stored(COUNT), rtol=1e-6)


def philips(units="CNTS", block=0x10, raw=False, **factors):
    """Make a Philips PET with its private factors, by element."""

    def spoil(files):
        for path in files:
            header = pydicom.dcmread(path)
            header.Manufacturer, header.Units = "Philips Medical Systems", units
            if factors:
                if block > 0x10:
                    header.private_block(0x7053, "ANOTHER", create=True)
                group = header.private_block(0x7053, "Philips PET Private Group", create=True)
                for name, value in factors.items():
                    kind = ("UN", f"{value} ".encode()) if raw else ("DS", str(value))
                    group.add_new(int(name[1:], 16), *kind)
            header.save_as(path)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "factor", "unit"),
    [
        (philips(e09=1.7, e00=0.0005), 1.7, "Bq/mL"),
        (philips(e00=0.0005), 0.0005, "g/mL"),
        (philips(e09=0, e00=0.0005), 0.0005, "g/mL"),
        (philips(e09=1.7, block=0x11), 1.7, "Bq/mL"),
        (philips(e09=1.7, raw=True), 1.7, "Bq/mL"),
        (philips("BQML", e09=1.7, e00=0.0005), 1.0, "Bq/mL"),
        (philips("BQML"), 1.0, "Bq/mL"),
    ],
    ids=["both", "SUV", "no activity", "second block", "as bytes", "already Bq", "Bq alone"],
)
def test_philips_counts_become_activity_or_suv(tmp_path, spoil, factor, unit):
    slopes = np.linspace(1, 2, COUNT)
    made, told = convert(tmp_path, spoil, slopes=slopes)
    np.testing.assert_allclose(made, factor * scaled(slopes), rtol=1e-4)
    assert told["Units"] == unit


@pytest.mark.parametrize("spoil", [philips(), philips(e09=0, e00=0), philips(e09="none", raw=True)])
def test_philips_counts_without_a_factor_are_refused(tmp_path, spoil):
    with pytest.raises(ScanError, match=r"I1: a PET in counts .*\(7053,1009\).*export it again"):
        convert(tmp_path, spoil)


def test_counts_of_another_maker_stay(tmp_path):
    made, told = convert(tmp_path, Units="CNTS")
    np.testing.assert_allclose(made, stored(COUNT))
    assert told["Units"] == "CNTS"


def packed(files):
    """Compress with RLE, which pydicom reads."""
    for path in files:
        header = pydicom.dcmread(path)
        header.compress(pydicom.uid.RLELossless)
        header.save_as(path)


def called_jpeg(files):
    """Say JPEG-LS of voxels that pydicom cannot read here; dcm2niix does not get to see them."""
    for path in files:
        header = pydicom.dcmread(path)
        header.file_meta.TransferSyntaxUID = pydicom.uid.JPEGLSLossless
        header.PixelData = encapsulate([header.PixelData])
        header["PixelData"].VR = "OB"
        header["PixelData"].is_undefined_length = True
        header.save_as(path)


def test_compressed_voxels_are_compared_too(tmp_path):
    slopes = 1e-9 * np.linspace(1, 2, COUNT)
    made, _ = convert(tmp_path, packed, slopes=slopes)
    np.testing.assert_allclose(made, scaled(slopes), rtol=1e-4)


@pytest.mark.parametrize(
    ("slopes", "spoil"),
    [(1e-9 * np.linspace(1, 2, COUNT), None), (np.full(COUNT, 2.0), philips(e09=1.7))],
)
def test_what_cannot_be_compared_is_refused_where_it_may_be_wrong(
    tmp_path, monkeypatch, slopes, spoil
):
    from mri2pet.conversion import held_values as values

    monkeypatch.setattr(values, "READABLE", ())  # as with JPEG, whose voxels pydicom cannot read
    with pytest.raises(ScanError, match=r"scaling, slice by slice, is lost .*without compression"):
        convert(tmp_path, spoil, slopes=slopes)


@pytest.mark.parametrize("slopes", [np.full(COUNT, 1e-9), np.linspace(1, 2, COUNT)])
def test_what_cannot_be_compared_is_kept_where_nothing_speaks_against_it(
    tmp_path, monkeypatch, slopes
):
    from mri2pet.conversion import held_values as values

    monkeypatch.setattr(values, "READABLE", ())
    made, _ = convert(tmp_path, slopes=slopes)
    np.testing.assert_allclose(made, scaled(slopes), rtol=1e-4)


def test_voxels_that_cannot_be_decoded_are_a_plain_reason(tmp_path):
    with pytest.raises(ScanError, match="I1"):
        convert(tmp_path, called_jpeg)


@st.composite
def scalings(draw):
    size = 10.0 ** draw(st.integers(-13, 5))
    slopes = size * np.array(draw(st.lists(st.floats(0.3, 3), min_size=5, max_size=5)))
    shift = draw(st.sampled_from([0.0, 0.0, 1.0])) * size
    return slopes, np.array([shift * draw(st.integers(0, 50)) for _ in slopes])


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scalings(), st.sampled_from(["MR", "PT"]), st.integers(0, 9), st.sampled_from([90, 65000]))
def test_any_scaling_comes_out_as_stored_value_times_slope(
    tmp_path_factory, case, modality, seed, top
):
    slopes, intercepts = case
    values = stored(5, seed, top)
    made, _ = convert(
        tmp_path_factory.mktemp("any"),
        modality=modality,
        places=straight(5),
        values=values,
        slopes=slopes,
        intercepts=intercepts,
    )
    intercepts = [float(f"{value:.9g}") for value in intercepts]
    np.testing.assert_allclose(made, scaled(slopes, intercepts, values), rtol=1e-4)


def test_the_reason_names_no_person(tmp_path):
    with pytest.raises(ScanError) as caught:
        convert(tmp_path, philips(), PatientName="Zaphod")
    assert not re.search("Zaphod", str(caught.value))


@pytest.mark.parametrize("seed", range(4))
def test_time_frames_numbered_at_random_are_right_or_refused(tmp_path, seed):
    numbers = np.random.default_rng(seed).permutation(2 * COUNT) + 1
    places, values = np.tile(straight(COUNT), (2, 1)), stored(2 * COUNT)
    try:
        made, _ = convert(tmp_path, places=places, values=values, frames=2, numbers=numbers)
    except ScanError as error:
        assert "I1" in str(error)
    else:
        wanted = values.reshape(2, COUNT, *values.shape[1:]).mean(axis=0)
        np.testing.assert_allclose(made, wanted, rtol=1e-4)


@pytest.mark.parametrize("scale", [0.05, 3.0])
def test_an_mri_may_be_in_another_unit(tmp_path, scale):
    """Philips' precise values are the stored ones times one factor: as good, and left alone."""

    def spoil(files):
        for path in files:
            header = pydicom.dcmread(path)
            header.Manufacturer = "Philips Medical Systems"
            block = header.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
            block.add_new(0x0E, "FL", scale)
            header.save_as(path)

    made, told = convert(tmp_path, spoil, "MR", slopes=np.full(COUNT, 2.0))
    factor = made / stored(COUNT)
    np.testing.assert_allclose(factor, factor[0, 0, 0], rtol=1e-4)
    assert abs(factor[0, 0, 0] - 2) > 0.1  # or this series tells nothing
    assert "CorrectedToSource" not in told
