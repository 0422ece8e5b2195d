"""Multi-frame files and damaged ones: held against their series as single slices are."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from series_fakes import stored, straight, write_enhanced_stack, write_stack

from mri2pet.conversion.scan_to_bids import convert_scan
from mri2pet.errors import ScanError

COUNT = 12
GAPS = {"even": 6.0 * np.arange(COUNT), "rounded": np.round(1.25 * np.arange(COUNT), 1)}


@pytest.mark.parametrize("maker", ["SIEMENS", "Philips"])
@pytest.mark.parametrize("size", [1.0, 1e-9])
@pytest.mark.parametrize("gaps", GAPS)
def test_an_enhanced_file_has_its_own_places_and_slopes(tmp_path, maker, size, gaps):
    """dcm2niix may take the first frame's slope for all."""
    places = straight(1) + GAPS[gaps][:, None] * [0, 0, 1]
    slopes = size * np.linspace(1, 2, COUNT)
    write_enhanced_stack(tmp_path / "I1", places, stored(COUNT), slopes, Manufacturer=maker)
    told = convert_scan(tmp_path, 1, "MRI", tmp_path / "out.nii.gz")
    image = nib.as_closest_canonical(nib.load(tmp_path / "out.nii.gz"))
    data = np.asarray(image.dataobj)[::-1, ::-1].transpose(2, 1, 0)
    np.testing.assert_allclose(data, stored(COUNT) * slopes[:, None, None], rtol=1e-4)
    mean = (GAPS[gaps][-1] - GAPS[gaps][0]) / (COUNT - 1)
    np.testing.assert_allclose(nib.affines.voxel_sizes(image.affine), (6, 5, mean), rtol=1e-5)
    assert ("affine" in told.get("CorrectedToSource", [])) == (gaps == "rounded")


changes = st.lists(
    st.tuples(st.floats(0.05, 1, exclude_max=True), st.binary(min_size=1, max_size=4)), max_size=6
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes, st.none() | st.floats(0.2, 1), st.sampled_from(["MR", "PT"]), st.booleans())
def test_a_damaged_series_is_a_volume_or_a_plain_reason(tmp_path, changes, cut, modality, every):
    files = write_stack(tmp_path / "I1", straight(5), stored(5), modality=modality)
    for path in files if every else files[2:3]:
        content = bytearray(path.read_bytes())
        for place, patch in changes:
            start = int(place * 900)
            content[start : start + len(patch)] = patch
        path.write_bytes(content[: len(content) if cut is None else int(cut * len(content))])
    try:
        convert_scan(
            tmp_path, 1, {"MR": "MRI", "PT": "PET"}[modality], tmp_path / "out" / "o.nii.gz"
        )
    except ScanError as error:
        assert "I1" in str(error)
    else:
        assert np.isfinite(nib.load(tmp_path / "out" / "o.nii.gz").get_fdata()).all()
