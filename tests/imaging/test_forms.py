"""sform and qform: one place in every file written, one belief of every header read."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nibabel.affines import apply_affine, from_matvec

from mri2pet.conversion.nifti import import_nifti
from mri2pet.errors import InputError, ScanError
from mri2pet.imaging.antsreg import deterministic_ants, to_ants
from mri2pet.imaging.forms import apart
from mri2pet.imaging.volume import array, load_scan, save_volume
from mri2pet.imaging.warp import LPS_INTENT, Warp, load_warp, save_warp

SHAPE = (40, 44, 36)
some = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def data():
    values = np.random.default_rng(0).integers(100, 900, SHAPE).astype(np.int16)
    values[3:9, -9:-3, 20:30] = 2000
    return values


def posed(codes="RAS", angles=(0, 0, 0), voxel=(4.0, 4.5, 5.0), shear=0.0):
    """An affine that stores its axes as `codes` say, turned (radians) and sheared."""
    turn = nib.eulerangles.euler2mat(*angles) @ np.diag(voxel)
    turn[:, 1] += shear * turn[:, 0]
    affine = from_matvec(turn, [-80, -95, -90])
    order = nib.orientations.axcodes2ornt(codes)
    return affine @ nib.orientations.inv_ornt_aff(order, SHAPE)


def write(path, affine, sform=None, qform=None, codes=(1, 1), **fields):
    """Write a .nii whose two forms and header fields are what is given."""
    image = nib.Nifti1Image(data(), affine)
    image.header.set_qform(affine if qform is None else qform, codes[1])
    image.header.set_sform(affine if sform is None else sform, codes[0])
    image.header.set_xyzt_units("mm")
    image.header["vox_offset"] = 352
    for name, value in fields.items():
        image.header[name] = value
    content = image.header.binaryblock + bytes(4) + data().tobytes(order="F")
    path.write_bytes(content)
    return path


def imported(path):
    """Import a file and load it as the first stage does, with the file that was written."""
    made = path.parent / "out.nii.gz"
    import_nifti(path, None, made)
    return nib.load(made), load_scan(made)


def itk_corners(path, shape):
    """Places of the corner voxels as ITK reads the file, RAS mm."""
    image = deterministic_ants().image_read(str(path))
    ends = np.stack(np.meshgrid(*((0, n - 1) for n in shape)), -1).reshape(-1, 3)
    steps = ends * np.array(image.spacing)
    return ends, (steps @ image.direction.T + image.origin) * (-1, -1, 1)


small = st.sampled_from([0.0, 1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 0.01, 0.1, 0.3])
signed = st.tuples(small, st.sampled_from([-1, 1])).map(np.prod)
codes = st.sampled_from(["RAS", "LAS", "LPS", "PSR", "LIA", "RSA", "ASL", "SPL"])


@some
@given(codes, st.tuples(signed, signed, signed))
def test_every_file_means_one_place_to_nibabel_and_itk(tmp_path, code, angles):
    affine = posed(code, angles)
    save_volume(tmp_path / "v.nii.gz", nib.Nifti1Image(data(), affine))
    image = nib.load(tmp_path / "v.nii.gz")
    assert apart(image.get_sform(), image.get_qform(), image.shape) < 2e-3
    ends, places = itk_corners(tmp_path / "v.nii.gz", image.shape)
    np.testing.assert_allclose(places, apply_affine(image.affine, ends), atol=5e-3)
    ours, theirs = nib.as_closest_canonical(image), nib.Nifti1Image(data(), affine)
    theirs = nib.as_closest_canonical(theirs)
    np.testing.assert_array_equal(array(ours), array(theirs))
    assert apart(ours.affine, theirs.affine, ours.shape) < 1e-3


@some
@given(codes, st.tuples(signed, signed, signed), signed)
def test_a_shear_is_refused_or_both_forms_agree(tmp_path, code, angles, shear):
    affine = posed(code, angles, shear=shear)
    path = write(tmp_path / "scan.nii", affine, codes=(1, 0))
    try:
        image, _ = imported(path)
    except ScanError as error:
        assert abs(shear) > 3e-4
        assert "scan.nii: the header's affine has a shear, which moves voxels by up to" in str(
            error
        )
    else:
        assert apart(image.get_sform(), image.get_qform(), image.shape) < 2e-3
        theirs = nib.as_closest_canonical(nib.Nifti1Image(data(), affine))
        ours = nib.as_closest_canonical(image)
        assert apart(ours.affine, theirs.affine, SHAPE) < 0.11
        assert abs(shear) < 2e-3


@pytest.mark.parametrize("shear", [0.01, 0.05, -0.3])
def test_no_sheared_volume_is_written(tmp_path, shear):
    with pytest.raises(ScanError, match=r"v\.nii\.gz: the header's affine has a shear"):
        save_volume(tmp_path / "v.nii.gz", nib.Nifti1Image(data(), posed(shear=shear)))
    assert not (tmp_path / "v.nii.gz").exists()


@pytest.mark.parametrize("code", [3, 4, 5])
@pytest.mark.parametrize(
    "sform",
    [
        posed(angles=(0.1, -0.1, 0.05), voxel=(4.4, 4.1, 5.6)),
        posed(voxel=(4.4, 4.1, 5.6), shear=0.05),
        posed(angles=(0.2, 0, 0)),
    ],
    ids=["stretched", "sheared", "turned"],
)
def test_beside_a_sform_to_a_template_the_scanners_qform_is_taken(tmp_path, sform, code):
    qform = posed(angles=(0.05, 0.02, 0))
    path = write(tmp_path / "scan.nii", qform, sform, codes=(code, 1))
    for image in (imported(path)[1], load_scan(path)):
        np.testing.assert_allclose(image.affine, qform, atol=1e-3)


@pytest.mark.parametrize(
    ("sform", "codes", "reason"),
    [
        (posed("LAS"), (4, 1), "disagree on left and right"),
        (posed(angles=(1.0, 0, 0)), (4, 1), "turned by 57 degrees"),
        (posed(voxel=(4.4, 4.1, 5.6)), (2, 1), "disagree on the voxel size"),
        (posed(voxel=(4.4, 4.1, 5.6)), (4, 4), "disagree on the voxel size"),
        (posed(shear=0.1), (4, 0), "has a shear"),
    ],
)
def test_other_contradictions_are_refused_as_before(tmp_path, sform, codes, reason):
    path = write(tmp_path / "scan.nii", posed(), sform, codes=codes)
    with pytest.raises(ScanError, match=rf"scan\.nii: .*{reason}"):
        imported(path)


@pytest.mark.parametrize("codes", [(0, 1), (1, 1), (2, 1)])
@pytest.mark.parametrize("longer", [1.0, 1 + 1e-6, 1 + 1e-4, 1.0004])
def test_a_quaternion_too_long_by_rounding_is_read(tmp_path, longer, codes):
    affine = posed("LPS", voxel=(4, 4, 5))  # a half turn: the quaternion is (0, 0, 0, 1)
    path = write(tmp_path / "scan.nii", affine, codes=codes, quatern_d=longer)
    image, loaded = imported(path)
    assert apart(image.affine, affine, SHAPE) < 1e-3
    assert apart(loaded.affine, posed("RAS", voxel=(4, 4, 5)), SHAPE) < 1e-3


@pytest.mark.parametrize("angle", [8e-4, 1e-3, 1.1e-3])
def test_a_turn_that_nibabel_takes_for_none_is_kept(tmp_path, angle):
    affine = posed("LPS", (angle, 0, 0))
    path = write(tmp_path / "scan.nii", affine, codes=(0, 1))
    assert apart(imported(path)[1].affine, posed("RAS", (angle, 0, 0)), SHAPE) < 0.05


@pytest.mark.parametrize("codes", [(0, 1), (1, 1)])
@pytest.mark.parametrize("longer", [1.01, 1.5, np.nan])
def test_a_quaternion_that_is_none_is_refused(tmp_path, longer, codes):
    path = write(tmp_path / "scan.nii", posed("LPS"), codes=codes, quatern_d=longer)
    with pytest.raises(ScanError, match=r"scan\.nii"):
        imported(path)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (4, 4.5, 1), (2, 2, 2)])
def test_a_sform_alone_has_its_own_voxel_sizes(tmp_path, sizes):
    """nibabel reads them of the sform, ITK of pixdim; what is written agrees."""
    path = write(tmp_path / "scan.nii", posed(), codes=(1, 0), pixdim=[1, *sizes, 1, 1, 1, 1])
    image, loaded = imported(path)
    np.testing.assert_allclose(loaded.header.get_zooms(), (4, 4.5, 5))
    ends, places = itk_corners(tmp_path / "out.nii.gz", image.shape)
    np.testing.assert_allclose(places, apply_affine(posed(), ends), atol=1e-3)
    _, theirs = itk_corners(path, image.shape)
    assert np.abs(theirs - places).max() > 30  # mm: as ITK reads the source


def test_a_lesion_lies_where_its_scan_lies(tmp_path):
    """The same header means the same place in import and in direct loading."""
    sform = posed(angles=(0.1, 0, 0), voxel=(4.4, 4.1, 5.6))
    path = write(tmp_path / "scan.nii", posed(), sform, codes=(4, 1))
    np.testing.assert_allclose(imported(path)[1].affine, load_scan(path).affine, atol=1e-4)


@pytest.mark.parametrize("shear", [0.0, 0.1, -0.4])
def test_ants_has_the_shear_in_memory(shear):
    affine = posed(angles=(0.1, 0.2, -0.1), shear=shear)
    image = to_ants(nib.Nifti1Image(data().astype(np.float32), affine))
    for voxel in ([0, 0, 0], [39, 43, 35], [39, 0, 20]):
        place = np.array(image.origin) + image.direction @ (np.array(voxel) * image.spacing)
        np.testing.assert_allclose(place * (-1, -1, 1), apply_affine(affine, voxel), atol=1e-3)


def field():
    vectors = np.random.default_rng(0).normal(size=(3, 9, 10, 11)).astype(np.float32)
    return Warp(vectors, from_matvec(np.diag([5.0, 5, 5]), [-20, -20, -20]))


def test_a_warp_is_written_as_lps(tmp_path):
    save_warp(tmp_path / "w.nii.gz", field())
    assert nib.load(tmp_path / "w.nii.gz").header["intent_code"] == LPS_INTENT == 1007
    np.testing.assert_array_equal(
        load_warp(tmp_path / "w.nii.gz").displacement, field().displacement
    )


@pytest.mark.parametrize("code", [0, 1005, 1006, 1008])
def test_a_warp_of_another_intent_is_refused(tmp_path, code):
    save_warp(tmp_path / "w.nii.gz", field())
    image = nib.load(tmp_path / "w.nii.gz")
    image.header["intent_code"] = code
    nib.save(image, tmp_path / "other.nii.gz")
    with pytest.raises(InputError, match=rf"other\.nii\.gz: its intent code is {code}, not 1007"):
        load_warp(tmp_path / "other.nii.gz")


def test_a_warp_that_ants_wrote_is_read(tmp_path):
    """Of a registration of two shifted blobs: its file has the intent that is asked for."""
    ants = deterministic_ants()
    grid = np.indices((24, 24, 24)) - 11.5
    blobs = [np.exp(-((grid[0] - s) ** 2 + grid[1] ** 2 + grid[2] ** 2) / 20) for s in (0, 2)]
    affine = from_matvec(np.diag([3.0, 3, 3]), [-36, -36, -36])
    fixed, moving = (nib.Nifti1Image(blob.astype(np.float32), affine) for blob in blobs)
    ants.registration(
        to_ants(fixed),
        to_ants(moving),
        type_of_transform="SyNOnly",
        initial_transform="Identity",
        outprefix=f"{tmp_path}/x_",
        reg_iterations=(10, 5, 0),
    )
    (path,) = tmp_path.glob("x_*[0-9]Warp.nii.gz")
    moved = load_warp(path).displacement[0, 12, 12, 12]
    assert 1 < moved < 8  # mm to the right, where the moving blob is


WIDE = [(718, 718, 260), (815, 815, 220), (700, 700, 154), (726, 726, 520), (256, 256, 220)]


@pytest.mark.parametrize("extent", WIDE)
@pytest.mark.parametrize("code", ["RAS", "LPS", "SRA"])
def test_the_scanners_whole_field_of_view_is_read(tmp_path, extent, code):
    assert load_scan(scan_of(tmp_path, extent, code)).shape


@pytest.mark.parametrize("extent", [(700, 700, 1000), (500, 500, 640), (815, 815, 1900)])
@pytest.mark.parametrize("code", ["RAS", "LPS", "SRA"])
def test_a_whole_body_is_told_by_its_length(tmp_path, extent, code):
    with pytest.raises(ScanError, match=rf"{extent[2]} mm from foot to head is a body's scan"):
        load_scan(scan_of(tmp_path, extent, code))


@pytest.mark.parametrize("extent", [(1200, 700, 200), (700, 700, 40), (50, 700, 200)])
def test_other_extents_are_no_head(tmp_path, extent):
    with pytest.raises(ScanError, match="is not a head scan's"):
        load_scan(scan_of(tmp_path, extent, "RAS"))


def scan_of(folder, extent, code):
    """Write a scan of an extent (mm: across, front to back, foot to head)."""
    shape = np.maximum(np.array(extent) // 5, 1)
    values = np.random.default_rng(0).integers(0, 99, shape).astype(np.float32)
    image = nib.Nifti1Image(values, np.diag([*(np.array(extent) / shape), 1]))
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(np.eye(4)), nib.orientations.axcodes2ornt(code)
    )
    nib.save(image.as_reoriented(turn), folder / "scan.nii")
    return folder / "scan.nii"
