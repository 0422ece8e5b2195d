"""Keys that BIDS requires of a PET: what follows from others, from times, or from the study."""

import json

import nibabel as nib
import numpy as np
import pytest

from mri2pet.conversion.nifti import import_nifti
from mri2pet.conversion.pet_required import injection_start, required_keys

FDG_NA = ("InjectedMass", "InjectedMassUnits", "SpecificRadioactivity")
DATA = np.random.default_rng(0).integers(1, 900, (12, 13, 14)).astype(np.int16)


@pytest.mark.parametrize(
    ("injected", "scanned", "seconds"),
    [
        ("092500", "10:00:00.000000", -2100),
        ("20060405092500.000000", "10:00:00", -2100),
        ("235000.00", "00:20:00", -1800),
        ("092500.25", "092000", 300.25),
        ("100000", "100000", 0),
        ("000000", "10:00:00", None),
        ("092500", "00:00:00.000000", None),
        ("020000", "10:00:00", None),  # eight hours before
        ("120000", "10:00:00", None),  # two hours after
        (None, "10:00:00", None),
        ("", "10:00:00", None),
        ("9:25", "10:00:00", None),
    ],
)
def test_the_injection_is_told_from_the_scans_start(injected, scanned, seconds):
    assert injection_start(injected, scanned) == seconds


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"ScanStart": 0, "InjectionStart": -1800, "FrameTimesStart": [0]}, (0, -1800, [0])),
        ({"ScanStart": 1800, "InjectionStart": 0, "FrameTimesStart": [1800]}, (1800, 0, [1800])),
        # seconds of the day
        (
            {"ScanStart": 38400, "InjectionStart": 36600, "FrameTimesStart": [38400]},
            (1800, 0, [1800]),
        ),
        ({"ScanStart": 38400, "InjectionStart": 36600, "FrameTimesStart": [0]}, (1800, 0, [1800])),
        ({"ScanStart": 38400, "FrameTimesStart": [38700]}, (0, None, [300])),
        ({"InjectionStart": 36600, "FrameTimesStart": [38400]}, (None, 0, [1800])),
        # counted from the scan's start; milliseconds
        ({"ScanStart": 1800, "InjectionStart": 0, "FrameTimesStart": [0]}, (1800, 0, [1800])),
        ({"ScanStart": 1800000, "InjectionStart": 0, "FrameTimesStart": 0}, (1800, 0, [1800])),
        # one frame begins with its scan
        ({"ScanStart": 1800, "InjectionStart": 0}, (1800, 0, [1800])),
    ],
)
def test_times_are_on_one_clock_that_begins_at_zero(told, expected):
    made = required_keys(told | {"TimeZero": "10:10:00"})
    keys = ("ScanStart", "InjectionStart", "FrameTimesStart")
    assert tuple(made.get(key) for key in keys) == expected
    assert made["TimeZero"] == "00:00:00"


def test_the_clock_is_not_told_where_no_time_is():
    assert "TimeZero" not in required_keys({"FrameDuration": [1800]})
    assert "FrameTimesStart" not in required_keys({"ScanStart": 0}, frames=3)


def test_the_time_of_a_decay_correction_on_another_clock_is_left_out():
    times = {"ScanStart": 50000, "InjectionStart": 48200}
    kept = required_keys(times | {"ImageDecayCorrectionTime": 50000})
    assert kept["ImageDecayCorrectionTime"] == 1800
    assert "ImageDecayCorrectionTime" not in required_keys(times | {"ImageDecayCorrectionTime": 0})


def test_what_is_not_available_of_fdg_is_na_and_what_is_told_stays():
    assert {required_keys({})[key] for key in FDG_NA} == {"n/a"}
    told = required_keys({"InjectedMass": 3.1, "InjectedMassUnits": "ug"})
    assert (told["InjectedMass"], told["SpecificRadioactivity"]) == (3.1, "n/a")
    assert not required_keys({}, "18FAV45").keys() & set(FDG_NA)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"ReconMethodParameterLabels": ["subsets", "iterations"]}, ["none", "none"]),
        ({"ReconMethodParameterLabels": ["iterations"]}, ["none"]),
        ({"ReconMethodParameterLabels": ["subsets", "zoom"]}, None),
        ({"ReconMethodParameterLabels": "subsets"}, None),
        ({}, None),
    ],
)
def test_units_follow_where_parameters_have_none(told, expected):
    assert required_keys(told).get("ReconMethodParameterUnits") == expected


@pytest.mark.parametrize(
    ("told", "stated", "expected"),
    [
        ({}, {"AcquisitionMode": "list mode"}, {"AcquisitionMode": "list mode"}),
        ({"AcquisitionMode": "static"}, {"AcquisitionMode": "list mode"}, {}),
        ({"ReconFilterType": "Hann"}, {"ReconFilterSize": 5}, {"ReconFilterSize": 5}),
        ({"ConvolutionKernel": "Hann"}, {"ReconFilterType": "Hann", "ReconFilterSize": 5},
         {"ReconFilterType": "Hann", "ReconFilterSize": 5}),
        ({"ReconFilterType": "Hann"}, {"ReconFilterType": "Gauss", "ReconFilterSize": 5}, {}),
        ({"ReconMethodParameterLabels": ["zoom"]},
         {"ReconMethodParameterLabels": ["cut"], "ReconMethodParameterValues": [2]}, {}),
    ],
)  # fmt: skip
def test_a_protocol_fills_what_is_missing_and_replaces_nothing(told, stated, expected):
    plain = required_keys(told)
    assert required_keys(told, protocol=stated) == plain | expected
    assert all(required_keys(told, protocol=stated)[key] == told[key] for key in told)


@pytest.mark.parametrize(
    "beside",
    [
        {"FrameDuration": 1800, "FrameTimesStart": 0},
        {"FrameDuration": [900, 900], "FrameTimesStart": [0, 900]},
        {"FrameDuration": [1800000], "FrameTimesStart": [0, 0]},
    ],
)
def test_a_pet_of_one_volume_has_lists_of_one(tmp_path, beside):
    nib.save(nib.Nifti1Image(DATA, np.diag([4.0, 4, 4, 1])), tmp_path / "a.nii.gz")
    (tmp_path / "a.json").write_text(json.dumps(beside))
    made = import_nifti(tmp_path / "a.nii.gz", None, tmp_path / "out.nii.gz", modality="PET")
    assert (made["FrameDuration"], made["FrameTimesStart"]) == ([1800], [0])
    np.testing.assert_array_equal(nib.load(tmp_path / "out.nii.gz").get_fdata(), DATA)
