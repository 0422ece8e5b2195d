"""What a PET's header and sidecar say: tracer, dose, time frames; and frames read in one go."""

import gzip
import json

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from series_fakes import straight, write_stack

from mri2pet.conversion.frames import mean_sidecar
from mri2pet.conversion.nifti import import_nifti, to_bids
from mri2pet.conversion.pet_agent import check_tracer
from mri2pet.conversion.scan_to_bids import convert_scan
from mri2pet.errors import ScanError

COUNT = 9
DATA = np.random.default_rng(0).integers(0, 900, (30, 34, 28)).astype(np.int16)
AFFINE = np.diag([4.0, 4, 4, 1])


@pytest.mark.parametrize(
    "name",
    [
        "FDG",
        "18F-FDG",
        "[18F]FDG",
        "F-18 FDG",
        "Fluorodeoxyglucose F^18^",
        "FLUORO DEOXY GLUCOSE",
        "Fludeoxyglucose F18",
        "2-deoxy-2-[18F]fluoro-D-glucose",
        "2-[18F]fluoro-2-deoxy-D-glucose",
        "fluorodeoxy-D-glucose",
        "Fluor-18-Desoxyglukose",
        "fluorodésoxyglucose",
        "fluorodesoxiglucosa (18F)",
        "fluorodesossiglucosio",
        "n/a",
        "N.A.",
        "unknown",
        "not available",
        "",
        " - ",
    ],
)
def test_usual_names_of_fdg_and_no_name_are_taken(name):
    check_tracer({"TracerName": name, "TracerRadionuclide": "F18"}, "scan")


@pytest.mark.parametrize(
    "name",
    [
        "AV45",
        "Florbetapir F-18",
        "flutemetamol",
        "Fluorodopa",
        "fluoroethyltyrosine",
        "FDGal",
        "2-deoxy-2-fluoro-D-galactose",
        "PIB",
        "FDG and PIB",
        "sodium fluoride",
        "11C-glucose",
        "Solution",
    ],
)
def test_other_tracers_are_refused_by_their_name(name):
    with pytest.raises(ScanError, match=r"scan: tracer: .* is not FDG"):
        check_tracer({"TracerName": name}, "scan")


@pytest.mark.parametrize(
    ("nuclide", "right"),
    [
        ("F18", True),
        ("18F", True),
        ("^18^Fluorine", True),
        ("F-18", True),
        ("n/a", True),
        ("", True),
        ("C11", False),
        ("^11^Carbon", False),
        ("Ga-68", False),
    ],
)
def test_a_radionuclide_other_than_f18_is_refused(nuclide, right):
    told = {"TracerName": "FDG", "TracerRadionuclide": nuclide}
    if right:
        check_tracer(told, "scan")
    else:
        with pytest.raises(ScanError, match=r"scan: tracer: its radionuclide .* is not F18"):
            check_tracer(told, "scan")


def agent(name=None, code=None, meaning=None, nuclide=None, dose=None):
    """Set the coded and free entries of the tracer in every header."""

    def spoil(files):
        for path in files:
            header, item = pydicom.dcmread(path), Dataset()
            if name is not None:
                item.Radiopharmaceutical = name
            for key, entry in (
                ("RadiopharmaceuticalCodeSequence", (code, meaning)),
                ("RadionuclideCodeSequence", nuclide),
            ):
                if entry and any(entry):
                    coded = Dataset()
                    coded.CodeValue, coded.CodeMeaning = entry
                    coded.CodingSchemeDesignator = "SRT"
                    setattr(item, key, [coded])
            if dose is not None:
                item.RadionuclideTotalDose = dose
            header.RadiopharmaceuticalInformationSequence = [item]
            header.save_as(path)

    return spoil


def converted(folder, spoil):
    spoil(write_stack(folder / "I1", straight(COUNT), modality="PT"))
    return convert_scan(folder, 1, "PET", folder / "out.nii.gz")


@pytest.mark.parametrize(
    "given",
    [
        {"name": "Solution", "code": "C-B1031", "meaning": "Fluorodeoxyglucose F^18^"},
        {"name": "Solution", "code": "35321007", "meaning": None},
        {"name": "Unknown", "code": "C0046056", "meaning": "sugar"},
        {"name": "NaCl 0.9%", "code": "99FDG", "meaning": "F-18 FDG"},
        {"code": "C-B1031", "meaning": None},
        {"name": "2-[18F]fluoro-2-deoxy-D-glucose"},
        {"name": "FDG", "nuclide": ("C-111A1", "^18^Fluorine")},
        {"name": "FDG", "code": "X1", "meaning": None},
    ],
)
def test_of_a_dicom_series_the_code_decides(tmp_path, given):
    assert converted(tmp_path, agent(**given))["TracerName"] == "FDG"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"name": "FDG", "code": "C-E0265", "meaning": "Florbetapir F^18^"}, "Florbetapir"),
        ({"name": "Solution", "code": "129513004", "meaning": "Acetate C^11^"}, "Acetate"),
        ({"name": "AV45", "code": "C-B1031", "meaning": "Fluorodeoxyglucose F^18^"}, "AV45"),
        ({"name": "Solution"}, "Solution"),
        ({"name": "FDG", "nuclide": ("C-105A1", "^11^Carbon")}, "radionuclide .*Carbon"),
    ],
)
def test_a_code_of_another_tracer_or_a_contradiction_is_refused(tmp_path, given, reason):
    with pytest.raises(ScanError, match=f"I1: tracer: .*{reason}"):
        converted(tmp_path, agent(**given))


@pytest.mark.parametrize(
    ("dose", "right"),
    [
        (370e6, 370),
        (185000000, 185),
        (370, 370),
        (185.5, 185.5),
        (10, None),
        (0.37, None),
        (0, None),
    ],
)
def test_the_dose_is_in_mbq_or_left_out(tmp_path, dose, right):
    told = converted(tmp_path, agent("FDG", dose=dose))
    assert told.get("InjectedRadioactivity") == right
    assert told.get("InjectedRadioactivityUnits") == (None if right is None else "MBq")


MEANS = [
    ({"FrameDuration": [300, 300, 1200], "FrameTimesStart": [0, 300, 600]}, 3, [1800], [0]),
    ({"FrameDuration": [60, 60], "FrameTimesStart": [1800, 1860]}, 2, [120], [1800]),
    ({"FrameDuration": [60, 60, 60], "FrameTimesStart": [0, 60, 120]}, 1, [180], [0]),
    ({"FrameDuration": [60, 60]}, 2, [120], None),
    ({"FrameDuration": 300, "FrameTimesStart": [0, 300]}, 2, None, [0]),
    ({"FrameDuration": [60, 60, 60], "FrameTimesStart": [0, 60]}, 2, None, None),
    ({"FrameDuration": [60, 60], "FrameTimesStart": [0, 60]}, 3, None, None),
    ({"FrameDuration": [60, None], "FrameTimesStart": ["0", 60]}, 2, None, None),
    ({"FrameDuration": [], "FrameTimesStart": []}, 2, None, None),
    ({"FrameDuration": [1800], "FrameTimesStart": [0]}, 1, [1800], [0]),
    ({"FrameDuration": 1800, "FrameTimesStart": 0}, 1, 1800, 0),
]


@pytest.mark.parametrize(("told", "frames", "duration", "start"), MEANS)
def test_the_sidecar_of_a_mean_tells_of_one_frame(told, frames, duration, start):
    told = told | {"DecayFactor": [1.0] * frames, "Units": "Bq/mL"}
    made = mean_sidecar(told, np.ones(frames))
    assert (made.get("FrameDuration"), made.get("FrameTimesStart")) == (duration, start)
    assert len(made.get("DecayFactor", [1])) == 1
    assert made["Units"] == "Bq/mL"


def test_a_dicom_mean_tells_of_one_frame_too(tmp_path):
    places = np.tile(straight(COUNT), (3, 1))
    write_stack(tmp_path / "I1", places, modality="PT", frames=3)
    told = convert_scan(tmp_path, 1, "PET", tmp_path / "out.nii.gz")
    assert (told["FrameDuration"], told["FrameTimesStart"]) == ([900], [0])


def test_durations_may_come_from_sidecars_further_up(tmp_path):
    """A merged sidecar takes the place of the one beside the file: weights and all else."""
    frames = np.stack([DATA, 4 * DATA], -1)
    nib.save(nib.Nifti1Image(frames, AFFINE), tmp_path / "pet.nii.gz")
    (tmp_path / "pet.json").write_text(json.dumps({"FrameDuration": [1, 1]}))
    told = {"FrameDuration": [300, 100], "Manufacturer": "Siemens"}
    for take in (import_nifti, to_bids):
        out = tmp_path / f"{take.__name__}.nii.gz"
        made = (
            take(tmp_path / "pet.nii.gz", None, out, modality="PET", told=told)
            if take is import_nifti
            else take(tmp_path / "pet.nii.gz", None, "PET", out, told=told)
        )
        np.testing.assert_allclose(nib.load(out).get_fdata(), 1.75 * DATA)
        assert (made["FrameDuration"], made["Manufacturer"]) == ([400], "Siemens")
    with pytest.raises(ScanError, match="AV45"):
        import_nifti(
            tmp_path / "pet.nii.gz", None, out, modality="PET", told={"TracerName": "AV45"}
        )


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_a_compressed_series_is_inflated_once(tmp_path, monkeypatch, kind, dtype):
    """However many frames there are, the file is opened as often and never begun again."""
    starts = []
    original = gzip.GzipFile.__init__
    monkeypatch.setattr(
        gzip.GzipFile, "__init__", lambda self, *a, **k: starts.append(1) or original(self, *a, **k)
    )
    rewind = gzip._GzipReader._rewind
    monkeypatch.setattr(gzip._GzipReader, "_rewind", lambda self: starts.append(1) or rewind(self))
    counts = []
    for frames in (3, 12):
        data = np.stack([DATA + frame for frame in range(frames)], -1).astype(dtype)
        nib.save(kind(data, AFFINE), tmp_path / "pet.nii.gz")
        starts.clear()
        import_nifti(tmp_path / "pet.nii.gz", None, tmp_path / "o.nii.gz", modality="PET")
        counts.append(len(starts))
        made = nib.load(tmp_path / "o.nii.gz").get_fdata()
        np.testing.assert_allclose(made, DATA + (frames - 1) / 2, rtol=1e-5)
    assert counts[0] == counts[1]


@pytest.mark.parametrize("place", [-9000, -100, -6])
def test_a_wrong_byte_in_any_frame_is_found(tmp_path, place):
    frames = np.stack([DATA, DATA + 1, DATA + 2], -1)
    path = tmp_path / "pet.nii.gz"
    nib.save(nib.Nifti1Image(frames, AFFINE), path)
    content = bytearray(path.read_bytes())
    content[place] ^= 255
    path.write_bytes(content)
    with pytest.raises(ScanError, match=r"pet\.nii\.gz: cannot be read to its end"):
        import_nifti(path, None, tmp_path / "o.nii.gz", modality="PET")
