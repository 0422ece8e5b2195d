"""Dynamic PET: which frames are averaged, how times are told, and what is said of the mean."""

import json

import nibabel as nib
import numpy as np
import pytest

from mri2pet.conversion.frames import frame_weights, mean_sidecar, read_times, source_of_mean
from mri2pet.conversion.nifti import import_nifti, to_bids
from mri2pet.errors import ScanError
from mri2pet.exclusion import is_excluded, run_stage

GRID = np.indices((24, 24, 24)) - 11.5
HEAD = np.where((GRID**2).sum(0) < 100, 1000 + 20 * GRID[0], 0)
AFFINE = np.array([[8.0, 0, 0, -92], [0, 8, 0, -92], [0, 0, 8, -92], [0, 0, 0, 1]])
# of one hour from injection on: 12 x 10 s, 6 x 30 s, 11 x 60 s, 12 x 120 s, 4 x 300 s
LENGTHS = np.repeat([10.0, 30.0, 60.0, 120.0, 300.0], [12, 6, 11, 12, 4])
STARTS = np.concatenate([[0.0], np.cumsum(LENGTHS)[:-1]])
TOLD = {
    "FrameDuration": LENGTHS.tolist(),
    "FrameTimesStart": STARTS.tolist(),
    "InjectionStart": 0,
    "ScanStart": 0,
    "TracerName": "FDG",
    "TracerRadionuclide": "F18",
}
WINDOW = (30.0, None)


def dynamic(folder, told, frames=45, name="sub-1_pet"):
    """Write a PET whose frame `k` is the head, `k + 1` times as bright."""
    data = np.stack([HEAD * (k + 1) for k in range(frames)], -1).astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(data[..., 0] if frames == 1 else data, AFFINE), folder / f"{name}.nii")
    (folder / f"{name}.json").write_text(json.dumps(told))
    return folder / f"{name}.nii"


def mean_of(weights):
    weights = np.asarray(weights, float)
    return HEAD * (np.arange(1, len(weights) + 1) * weights).sum() / weights.sum()


def converted(tmp_path, told, window=WINDOW, **kwargs):
    image = tmp_path / "out.nii.gz"
    source = dynamic(tmp_path / "raw", told, **kwargs)
    side = import_nifti(source, None, image, modality="PET", tracer="18FFDG", window=window)
    return np.asarray(nib.load(image).dataobj), side


@pytest.mark.parametrize(
    ("window", "inside"),
    [
        ((30.0, None), STARTS >= 1800),
        ((40.0, 60.0), STARTS >= 2400),
        ((5.0, 20.0), (STARTS >= 300) & (STARTS + LENGTHS <= 1200)),
        (None, STARTS >= 0),
        ((0.0, None), STARTS >= 0),
    ],
)
def test_frames_of_the_window_are_averaged_by_their_durations(tmp_path, window, inside):
    data, side = converted(tmp_path, TOLD, window)
    np.testing.assert_allclose(data, mean_of(LENGTHS * inside), rtol=1e-5)
    assert 0 < inside.sum() == side["FramesAveraged"]
    assert side["FramesOfSource"] == len(LENGTHS)
    assert side["FrameDuration"] == [LENGTHS[inside].sum()]
    assert side["FrameTimesStart"] == [STARTS[inside][0]]
    assert side["WindowOfSource"] == [STARTS[inside][0], (STARTS + LENGTHS)[inside][-1]]


def test_the_first_minutes_would_change_the_mean(tmp_path):
    """The window matters: with all frames the picture is another one."""
    late, _ = converted(tmp_path / "a", TOLD)
    every, _ = converted(tmp_path / "b", TOLD, None)
    assert np.abs(late - every).max() > 0.1 * late.max()


@pytest.mark.parametrize(
    "change",
    [
        {"FrameDuration": (LENGTHS * 1000).tolist(), "FrameTimesStart": (STARTS * 1000).tolist()},
        {"FrameTimesStart": (STARTS * 1000).tolist()},
        {"FrameDuration": (LENGTHS * 1000).tolist()},
        {"FrameTimesStart": [*STARTS.tolist(), 0]},
        {"FrameDuration": [*LENGTHS.tolist(), 0]},
        {"FrameTimesStart": [*STARTS.tolist(), 3600.0]},
        {"FrameTimesStart": [*STARTS.tolist(), 3600.0], "FrameDuration": None},
        {"FrameTimesStart": [*STARTS[:-1].tolist(), 0]},
        {"FrameTimesStart": [*(STARTS * 1000).tolist(), 0]},
        {"InjectionStart": None, "ScanStart": None},
        {"InjectionStart": -600, "FrameTimesStart": (STARTS - 600).tolist(), "ScanStart": -600},
        {"InjectionStart": 86000, "FrameTimesStart": (STARTS + 86000).tolist(), "ScanStart": 86000},
    ],
)
def test_times_are_told_in_many_ways(tmp_path, change):
    data, side = converted(tmp_path, TOLD | change)
    np.testing.assert_allclose(data, mean_of(LENGTHS * (STARTS >= 1800)), rtol=1e-5)
    assert side["FrameDuration"] == [1800]
    assert side["WindowOfSource"] == [1800, 3600]


@pytest.mark.parametrize(
    ("told", "first"),
    [
        ({"ScanStart": 1800, "InjectionStart": 0}, 1800),  # frames counted from the scan's start
        ({"ScanStart": 0, "InjectionStart": -1800}, 1800),
        ({"ScanStart": 2400, "InjectionStart": 600}, 1800),
        ({"ScanStart": 1800000, "InjectionStart": 0}, 1800),
    ],
)
def test_a_scan_that_began_late_lies_in_the_window(tmp_path, told, first):
    six = {"FrameDuration": [300.0] * 6, "FrameTimesStart": list(range(0, 1800, 300)), **told}
    data, side = converted(tmp_path, six, frames=6)
    np.testing.assert_allclose(data, mean_of(np.ones(6)), rtol=1e-5)
    assert side["WindowOfSource"] == [first, first + 1800]


@pytest.mark.parametrize(
    ("told", "window", "reason"),
    [
        (TOLD, (70.0, None), "none of its 45 frames lies in 70 min to the end.*0 to 60 min"),
        (TOLD, (58.0, 61.0), "none of its 45 frames lies in 58 min to 61 min"),
        (TOLD | {"InjectionStart": None, "ScanStart": None}, (90.0, None), "its JSON counts from"),
        (TOLD | {"FrameTimesStart": None}, WINDOW, "no FrameTimesStart"),
        (TOLD | {"FrameTimesStart": [0, 600]}, WINDOW, "is not known"),
        (TOLD | {"FrameTimesStart": ["0"] * 45}, WINDOW, "is not known"),
        (TOLD | {"FrameDuration": None}, (30.0, 60.0), "is not known"),
        ({}, WINDOW, r"set pet_window_min to \[0, null\]"),
    ],
)
def test_a_window_without_frames_says_which_there_are(tmp_path, told, window, reason):
    with pytest.raises(ScanError, match=reason):
        converted(tmp_path, told, window)
    assert not (tmp_path / "out.nii.gz").exists()


def test_frames_outside_the_window_are_not_read(tmp_path):
    source = dynamic(tmp_path / "raw", TOLD)
    image = nib.load(source)
    data = np.array(image.dataobj)
    data[..., :5] = np.nan
    nib.save(nib.Nifti1Image(data, AFFINE), source)
    import_nifti(source, None, tmp_path / "o.nii.gz", modality="PET", window=WINDOW)
    out = np.asarray(nib.load(tmp_path / "o.nii.gz").dataobj)
    np.testing.assert_allclose(out, mean_of(LENGTHS * (STARTS >= 1800)), rtol=1e-5)


@pytest.mark.parametrize("told", [{}, {"FrameDuration": [600], "FrameTimesStart": [0]}, TOLD])
def test_a_static_pet_needs_no_window(tmp_path, told):
    data, side = converted(tmp_path, told, (90.0, None), frames=1)
    np.testing.assert_allclose(data, HEAD.astype(np.float32))
    assert side["FramesAveraged"] == 1 and "FramesOfSource" not in side
    assert side.get("FrameDuration") == ([sum(told["FrameDuration"])] if told else None)
    assert side.get("FrameTimesStart") == ([0] if told else None)


@pytest.mark.parametrize("told", [[600000], 600000, [20000.0]])
def test_times_of_a_static_pet_are_seconds_too(tmp_path, told):
    _, side = converted(tmp_path, {"FrameDuration": told, "FrameTimesStart": [0]}, frames=1)
    assert side["FrameDuration"] == [np.ravel(told)[0] / 1000]
    assert side["FrameTimesStart"] == [0]


@pytest.mark.parametrize("key", ["DecayFactor", "DecayCorrectionFactor", "DoseCalibrationFactor"])
def test_what_was_one_a_frame_is_not_kept_of_a_mean(tmp_path, key):
    _, side = converted(tmp_path, TOLD | {key: [1.0] * len(LENGTHS)})
    assert key not in side
    single = mean_sidecar(TOLD | {key: 2.0}, np.ones(len(LENGTHS)))
    assert single[key] == 2.0


def test_without_times_the_mean_tells_none():
    weights = frame_weights({}, 3, None, "x")
    np.testing.assert_array_equal(weights, np.ones(3))
    assert mean_sidecar({"FrameDuration": [1, 2], "Units": "Bq/mL"}, weights) == {"Units": "Bq/mL"}
    assert source_of_mean({}, weights) == {"FramesAveraged": 3, "FramesOfSource": 3}


def test_gaps_between_frames_are_not_counted():
    told = {"FrameDuration": [60, 60], "FrameTimesStart": [0, 600]}
    assert mean_sidecar(told, np.ones(2))["FrameDuration"] == [120]
    assert source_of_mean(told, np.ones(2))["WindowOfSource"] == [0, 660]


def test_times_that_are_no_numbers_say_nothing():
    for bad in ("x", [1, "2"], [], [float("nan"), 1.0], [True, False], None):
        times = read_times({"FrameTimesStart": bad, "FrameDuration": bad}, 2)
        assert times.starts is None and times.durations is None


PLACES = ("pet.json", "sub-1/sub-1_pet.json", "sub-1/ses-1/sub-1_ses-1_pet.json")


@pytest.mark.parametrize("place", PLACES)
def test_times_and_tracer_are_inherited(tmp_path, place):
    folder = tmp_path / "ds/sub-1/ses-1/pet"
    source = dynamic(folder, {}, name="sub-1_ses-1_pet")
    (folder / "sub-1_ses-1_pet.json").unlink()
    (tmp_path / "ds" / place).write_text(json.dumps(TOLD))
    to_bids(source, None, "PET", tmp_path / "o.nii.gz", tracer="18FFDG", window=[30, None])
    out = np.asarray(nib.load(tmp_path / "o.nii.gz").dataobj)
    np.testing.assert_allclose(out, mean_of(LENGTHS * (STARTS >= 1800)), rtol=1e-5)
    (tmp_path / "ds" / place).write_text(json.dumps(TOLD | {"TracerName": "[11C]PiB"}))
    with pytest.raises(ScanError, match=r"PiB.*is not FDG"):
        to_bids(source, None, "PET", tmp_path / "p.nii.gz", tracer="18FFDG")


@pytest.mark.parametrize(
    ("tracer", "told", "name", "nuclide"),
    [
        (None, {}, "FDG", "F18"),
        ("18FFDG", {}, "FDG", "F18"),
        ("18FFDG", {"TracerName": "[18F]FDG"}, "[18F]FDG", "F18"),
        ("11CPIB", {"TracerName": "PiB", "TracerRadionuclide": "C11"}, "PiB", "C11"),
        ("11CUCBJ", {"TracerName": "UCB-J"}, "UCB-J", "C11"),
        ("18FAV45", {"TracerName": "Florbetapir for Doe^Jane"}, "AV45", "F18"),
        ("DASB", {"TracerName": "DASB", "TracerRadionuclide": "11C"}, "DASB", "C11"),
        ("11CPIB", {"TracerName": "n/a"}, "PIB", "C11"),
    ],
)
def test_the_tracer_in_the_sidecar_is_that_of_the_source(tmp_path, tracer, told, name, nuclide):
    source = dynamic(tmp_path, told, frames=1)
    side = import_nifti(source, None, tmp_path / "o.nii.gz", modality="PET", tracer=tracer)
    assert (side["TracerName"], side["TracerRadionuclide"]) == (name, nuclide)


@pytest.mark.parametrize(
    ("tracer", "told"),
    [
        (None, {"TracerName": "AV45"}),
        ("18FFDG", {"TracerName": "[11C]PiB"}),
        ("11CPIB", {"TracerName": "FDG"}),
        ("11CPIB", {"Radiopharmaceutical": "Florbetapir"}),
        ("18FFDG", {"TracerName": "FDG", "TracerRadionuclide": "C11"}),
        ("18FFMZ", {"TracerName": "flumazenil", "TracerRadionuclide": "C11"}),
    ],
)
def test_another_tracer_than_the_one_asked_for_is_refused(tmp_path, tracer, told):
    source = dynamic(tmp_path, told, frames=1)
    with pytest.raises(ScanError, match=r"tracer: .* is not"):
        import_nifti(source, None, tmp_path / "o.nii.gz", modality="PET", tracer=tracer)


@pytest.mark.parametrize("kind", ["PETMR", "petmr", "PET/MR", "PET/CT", "PT", "PET"])
def test_a_combined_scanner_is_a_pet_scanner(tmp_path, kind):
    source = dynamic(tmp_path, {"Modality": kind}, frames=1)
    assert import_nifti(source, None, tmp_path / "o.nii.gz", modality="PET")


@pytest.mark.parametrize("kind", ["MR", "CT", "NM"])
def test_another_modality_is_no_pet(tmp_path, kind):
    source = dynamic(tmp_path, {"Modality": kind}, frames=1)
    with pytest.raises(ScanError, match="is of modality"):
        import_nifti(source, None, tmp_path / "o.nii.gz", modality="PET")


def test_content_that_was_not_fetched_is_an_exclusion(tmp_path):
    link, image = tmp_path / "sub-1_pet.nii.gz", tmp_path / "out/x.nii.gz"
    link.symlink_to("../.git/annex/objects/none.nii.gz")
    work = lambda: to_bids(link, None, "PET", image)  # noqa: E731
    run_stage("convert_pet", work, image.with_suffix(".json"), [image], [link])
    assert "datalad get" in is_excluded(image.with_suffix(".json"))["reason"]
