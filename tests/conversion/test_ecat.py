"""ECAT 7: values, times and sides of small files, as nibabel reads them too; what is refused."""

import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bids_fakes import bids, reasons_of, scan, table_of
from ecat_fakes import BLOCK, write_ecat

from mri2pet.conversion.ecat import POSITIONS, convert_ecat
from mri2pet.conversion.nifti import import_nifti, to_bids
from mri2pet.errors import ScanError

SHAPE = (60, 50, 40)
DATA = np.random.default_rng(0).integers(1, 900, SHAPE).astype(np.int16)
SCALE = 0.5 * 20.0  # of the frame and the calibration, as `write_ecat` sets them
LONG = [
    {"duration": 60_000, "start": 1_800_000, "scale": 0.5},
    {"duration": 120_000, "start": 1_860_000, "scale": 2.0},
    {"duration": 300_000, "start": 1_980_000, "scale": 0.25},
]


def as_ras(stored):
    """Turn the file's order: right to left, front to back, top to bottom."""
    return stored[::-1, ::-1, ::-1].astype(np.float64)


def take(path, modality="PET", **how):
    """Convert a file as a study's job does; return the image and its sidecar."""
    image = path.parent / "out" / "pet.nii.gz"
    told = import_nifti(path, None, image, modality=modality, **how)
    return nib.load(image), told


def test_one_frame_has_its_values_places_and_words(tmp_path):
    image, told = take(write_ecat(tmp_path / "pet.v", [DATA]))
    np.testing.assert_allclose(image.get_fdata(), SCALE * as_ras(DATA), rtol=1e-6)
    assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
    np.testing.assert_allclose(image.header.get_zooms(), (2, 2.5, 3), rtol=1e-6)
    middle = nib.affines.apply_affine(image.affine, (np.array(SHAPE) - 1) / 2)
    np.testing.assert_allclose(middle, 0, atol=1e-4)
    wanted = {
        **{"SourceFormat": "ECAT", "FramesAveraged": 1, "Modality": "PT", "Units": "Bq/mL"},
        **{"TracerName": "FDG", "TracerRadionuclide": "F18", "AttenuationCorrection": "measured"},
        **{"FrameDuration": [300], "FrameTimesStart": [0], "ScanStart": 0, "TimeZero": "00:00:00"},
        **{"InjectionStart": -3600, "InjectedRadioactivity": 185, "ImageDecayCorrected": True},
        **{"InjectedRadioactivityUnits": "MBq", "DecayCorrectionFactor": [pytest.approx(1.1)]},
        **{"RadionuclideHalfLife": pytest.approx(6586.2)},
    }
    assert {key: told.get(key) for key in wanted} == wanted
    assert "Jane" not in json.dumps(told)
    assert b"Jane" not in image.header.binaryblock


@pytest.mark.parametrize("per_list", [31, 2, 1])
def test_frames_are_weighted_by_their_durations_each_with_its_scale(tmp_path, per_list):
    volumes = [DATA, DATA[::-1], 900 - DATA]
    path = write_ecat(tmp_path / "pet.v", volumes, LONG, per_list)
    image, told = take(path)
    weights = np.array([60, 120, 300]) / 480
    scales = 20 * np.array([0.5, 2.0, 0.25])
    mean = sum(w * s * as_ras(v) for w, s, v in zip(weights, scales, volumes, strict=True))
    np.testing.assert_allclose(image.get_fdata(), mean, rtol=1e-5)
    assert (told["FrameDuration"], told["FrameTimesStart"]) == ([480], [1800])
    assert (told["FramesAveraged"], told["FramesOfSource"]) == (3, 3)
    late, about = take(path, window=(91, None))
    late_mean = (120 * 40 * as_ras(volumes[1]) + 300 * 5 * as_ras(volumes[2])) / 420
    np.testing.assert_allclose(late.get_fdata(), late_mean, rtol=1e-5)
    assert (about["FramesAveraged"], about["WindowOfSource"]) == (2, [5460, 5880])


def test_frames_go_by_their_numbers_not_by_their_places(tmp_path):
    numbers = [0x1010003, 0x1010001, 0x1010002]
    path = write_ecat(tmp_path / "pet.v", [DATA, 2 * DATA, 3 * DATA], LONG, numbers=numbers)
    volume, told = convert_ecat(path, tmp_path)
    found = nib.load(volume).get_fdata()
    for place, (stored, scale) in enumerate(((2 * DATA, 2.0), (3 * DATA, 0.25), (DATA, 0.5))):
        np.testing.assert_allclose(found[..., place], 20 * scale * as_ras(stored), rtol=1e-6)
    assert told["FrameDuration"] == [120, 300, 60]


def test_nibabel_reads_the_same_of_what_lay_head_first_and_supine(tmp_path):
    volumes = [DATA, DATA[::-1], 900 - DATA]
    path = write_ecat(tmp_path / "pet.v", volumes, LONG)
    volume, _ = convert_ecat(path, tmp_path)
    ours, theirs = nib.load(volume), nib.ecat.load(str(path))
    np.testing.assert_allclose(ours.get_fdata(), theirs.get_fdata(), rtol=1e-6)
    np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-4)


@pytest.mark.parametrize("kind", [5, 6, 7])
def test_floats_and_integers_are_read(tmp_path, kind):
    image, _ = take(write_ecat(tmp_path / "pet.v", [DATA], [{"type": kind}]))
    np.testing.assert_allclose(image.get_fdata(), SCALE * as_ras(DATA), rtol=1e-6)


def test_values_that_are_not_calibrated_have_no_unit(tmp_path):
    image, told = take(write_ecat(tmp_path / "pet.v", [DATA], calibrated=0))
    np.testing.assert_allclose(image.get_fdata(), 0.5 * as_ras(DATA), rtol=1e-6)
    assert "Units" not in told


@pytest.mark.parametrize("orientation", [*set(range(9)) - {3}, 77])
def test_where_the_side_is_not_certain_the_scan_is_refused(tmp_path, orientation):
    path = write_ecat(tmp_path / "pet.v", [DATA], orientation=orientation)
    lay = POSITIONS[min(orientation, 8)]
    with pytest.raises(ScanError, match=rf"left and right are not certain.* lay {lay}.*convert"):
        take(path)


def cut(length):
    def spoil(path):
        path.write_bytes(path.read_bytes()[:length])

    return spoil


def put(place, value):
    def spoil(path):
        content = bytearray(path.read_bytes())
        content[place : place + len(value)] = value
        path.write_bytes(content)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (cut(0), "is not ECAT 7"),
        (cut(300), "header is cut short"),
        (cut(BLOCK), "list of frames is not there"),
        (cut(2 * BLOCK), "lies outside of the file|is not there"),
        (cut(2 * BLOCK + 100), "is not there"),
        (cut(3 * BLOCK), "it has 0 of 240000 bytes"),
        (cut(-1000), "of 240000 bytes of voxels"),
        (put(0, b"MATRIX6"), "is not ECAT 7.*ECAT 6"),
        (put(0, bytes(64)), "is not ECAT 7"),
        (put(50, b"\0\x0b"), "file type 11"),
        (put(354, b"\0\x05"), "announces 5 frames and lists 1"),
        (put(BLOCK + 4, b"\0\0\x7f\xff"), "list of frames is not there"),
        (put(BLOCK + 12, b"\0\0\0\x55"), "list of frames is damaged"),
        (put(BLOCK + 16, b"\xff\0\0\x01"), "lies outside of the file"),
        (put(BLOCK + 20, b"\x7f\xff\xff\xff"), "lies outside of the file"),
        (put(2 * BLOCK, b"\0\x02"), "frame 1: data type 2"),
        (
            put(2 * BLOCK + 4, b"\xff\xff\xff\xff\xff\xff"),
            "it has 240128 of 562924184010750 bytes",
        ),
        (put(2 * BLOCK + 4, b"\0\0"), "frame 1: shape"),
        (put(2 * BLOCK + 26, b"\x7f\xc0\0\0"), "scale factor is nan"),
        (put(2 * BLOCK + 34, bytes(4)), "frame 1: shape .* voxels of"),
        (put(144, bytes(4)), "calibration factor is 0"),
    ],
)
def test_damaged_and_other_files_are_refused_with_the_reason(tmp_path, spoil, reason):
    path = write_ecat(tmp_path / "pet.v", [DATA])
    spoil(path)
    with pytest.raises(ScanError, match=reason):
        take(path)
    assert not list(tmp_path.glob("out/*"))


def test_a_list_of_frames_that_leads_to_itself_comes_to_an_end(tmp_path):
    path = write_ecat(tmp_path / "pet.v", [DATA, DATA], per_list=1)
    second = int.from_bytes(path.read_bytes()[BLOCK + 4 : BLOCK + 8], "big")
    put((second - 1) * BLOCK + 4, second.to_bytes(4, "big"))(path)
    assert take(path)[1]["FramesAveraged"] == 2


@pytest.mark.parametrize("numbers", [[0x1010001, 0x2010001], [0x1010001, 0x1010001]])
def test_gates_and_frames_of_one_number_are_refused(tmp_path, numbers):
    path = write_ecat(tmp_path / "pet.v", [DATA, DATA], numbers=numbers)
    with pytest.raises(ScanError, match="several beds, gates or planes"):
        take(path)


def test_frames_of_two_sizes_are_refused(tmp_path):
    path = write_ecat(tmp_path / "pet.v", [DATA, DATA], [{}, {"z_cm": 0.31}])
    with pytest.raises(ScanError, match="differ in shape or voxel size"):
        take(path)


@pytest.mark.parametrize(
    ("told", "reason"),
    [({"agent": b"PIB"}, "'PIB' is not FDG"), ({"isotope": b"C-11"}, "radionuclide 'C11'")],
)
def test_another_tracer_is_refused_also_where_the_json_says_fdg(tmp_path, told, reason):
    path = write_ecat(tmp_path / "pet.v", [DATA], **told)
    path.with_suffix(".json").write_text(json.dumps({"TracerName": "FDG"}))
    with pytest.raises(ScanError, match=reason):
        take(path)


def test_ecat_is_no_mri(tmp_path):
    with pytest.raises(ScanError, match="is of modality 'PT', not MR"):
        take(write_ecat(tmp_path / "pet.v", [DATA]), "MRI")


@pytest.mark.parametrize(
    ("told", "key", "wanted"),
    [
        ({"dose": 370.0}, "InjectedRadioactivity", 370),
        ({"dose": 10.0}, "InjectedRadioactivity", None),
        ({"dose": 0.0}, "InjectedRadioactivity", None),
        ({"dose_start": 0}, "InjectionStart", None),
        ({"dose_start": 1_290_640_302}, "InjectionStart", None),
        ({"units": b""}, "Units", None),
        ({"agent": b"", "isotope": b""}, "TracerName", "FDG"),
    ],
)
def test_what_the_header_leaves_open_or_cannot_mean_stays_out(tmp_path, told, key, wanted):
    assert take(write_ecat(tmp_path / "pet.v", [DATA], **told))[1].get(key) == wanted


def test_adni_s_folder_may_hold_it(tmp_path):
    series = tmp_path / "011_S_0005/FDG/2006-04-05/I23456"
    series.mkdir(parents=True)
    path = write_ecat(series / "ADNI_011_S_0005_PT_FDG_S1_I23456.v", [DATA, DATA, DATA], LONG)
    out = tmp_path / "out.nii.gz"
    told = to_bids(tmp_path / "011_S_0005", "23456", "PET", out)
    assert (told["SourceFormat"], told["FramesAveraged"]) == ("ECAT", 3)
    assert (told["FrameDuration"], told["FrameTimesStart"]) == ([480], [1800])
    weighted = 20 * (0.5 * 60 + 2.0 * 120 + 0.25 * 300) / 480
    np.testing.assert_allclose(nib.load(out).get_fdata(), weighted * as_ras(DATA), rtol=1e-5)
    path.with_name("ADNI_011_S_0005_PT_FDG_S2_I23456.v").write_bytes(path.read_bytes())
    with pytest.raises(ScanError, match="2 ECAT files"):
        to_bids(tmp_path / "011_S_0005", "23456", "PET", out)


def test_a_bids_folder_may_hold_it_and_its_json_goes_first(tmp_path):
    pets = {name: scan(name, suffix="pet", entities="trc-18FFDG", ending=".v") for name in "12"}
    files = dict.fromkeys([scan("1"), scan("2"), *pets.values()])
    files[pets["1"].replace(".v", ".json")] = {"InjectionStart": -1800, "Manufacturer": "Siemens"}
    root = bids(tmp_path, None, files)
    write_ecat(root / pets["1"], [DATA])
    os.truncate(write_ecat(root / pets["2"], [DATA]), 4000)
    table, left_out = table_of(root)
    assert table["pet_file"].tolist() == [str(root / pets[name]) for name in "12"]
    assert reasons_of(left_out) == {}
    _, told = take(root / pets["1"])
    assert (told["InjectionStart"], told["Manufacturer"]) == (-1800, "Siemens")
    with pytest.raises(ScanError, match="cannot be read to its end"):
        take(root / pets["2"])


def test_of_a_nifti_and_an_ecat_of_one_session_the_nifti_is_taken(tmp_path):
    names = [scan("1", suffix="pet", entities="trc-18FFDG", ending=end) for end in (".v", ".nii")]
    root = bids(tmp_path, None, [scan("1"), *names])
    table, left_out = table_of(root)
    assert table["pet_file"].tolist() == [str(root / names[1])]
    assert "one PET a visit is used" in reasons_of(left_out)["1"]


def test_a_real_scanner_s_file_reads_as_in_nibabel(tmp_path):
    """Of an HR+, cut to a few voxels: nibabel's own test file, whose orientation is not known."""
    path = tmp_path / "tiny.v"
    path.write_bytes((Path(nib.__file__).parent / "tests/data/tinypet.v").read_bytes())
    with pytest.raises(ScanError, match="lay in an unknown position"):
        convert_ecat(path, tmp_path)
    put(330, b"\0\3")(path)
    volume, told = convert_ecat(path, tmp_path)
    ours, theirs = nib.load(volume), nib.ecat.load(str(path))
    np.testing.assert_allclose(ours.get_fdata(), theirs.get_fdata()[..., 0], rtol=1e-6)
    np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-4)
    assert (told["TracerName"], told["TracerRadionuclide"], told["Units"]) == (
        "FDG",
        "F18",
        "Bq/mL",
    )
    assert (told["FrameDuration"], told["FrameTimesStart"]) == ([300], [1500.016])
    assert told["ImageDecayCorrected"] and told["AttenuationCorrection"] == "measured"
    assert not told.keys() & {"InjectionStart", "InjectedRadioactivity"}  # days later, and 0
