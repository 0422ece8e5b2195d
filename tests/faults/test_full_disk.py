"""A full or read-only disk: the message names the file and what to do, and nothing is excluded."""

import gzip
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
import pytest
import torch
from dicom_fakes import write_series
from disks import read_only, resize, small_disk

from mri2pet.conversion.scan_to_bids import convert_scan
from mri2pet.errors import InputError, ScanError
from mri2pet.exclusion import is_excluded, run_stage
from mri2pet.files import atomic, new_array, write_json
from mri2pet.logs import log_to
from mri2pet.machine_faults import check_writable

NOISE = np.random.default_rng(0).normal(size=(64, 64, 64)).astype(np.float32)  # 1 MB


def draw(path):
    figure, axes = plt.subplots()
    axes.imshow(NOISE[0] + np.arange(64), interpolation="none")
    figure.savefig(path, dpi=900)
    plt.close(figure)


WRITERS = {
    "a.npy": lambda path: np.save(path, NOISE),
    "a.npz": lambda path: np.savez_compressed(path, NOISE),
    "a.nii.gz": lambda path: nib.save(nib.Nifti1Image(NOISE, np.eye(4)), path),
    "a.pt": lambda path: torch.save({"weights": torch.from_numpy(NOISE)}, path),
    "a.png": draw,
    "a.json": lambda path: path.write_text("x" * NOISE.nbytes),
    "a.gz": lambda path: path.write_bytes(gzip.compress(NOISE.tobytes())),
}


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", "256k") as folder:
        yield folder


@pytest.mark.parametrize("name", WRITERS)
def test_whatever_writes_the_file_is_named_and_nothing_of_it_stays(disk, name):
    path = disk / name
    if name == "a.pt":
        path.write_bytes(b"old")
    filled = np.zeros(200_000 if name == "a.png" else 0, np.uint8).tobytes()
    (disk / "other").write_bytes(filled)
    told = rf"{name}: cannot be .*No space left.*free some space"
    with pytest.raises(InputError, match=told), atomic(path) as partial:
        WRITERS[name](partial)
    assert [each.name for each in disk.iterdir() if each.name not in (name, "other")] == []
    assert not path.exists() or path.read_bytes() == b"old"
    (disk / "other").unlink()
    resize(disk, "32m")
    with atomic(path) as partial:
        WRITERS[name](partial)
    assert path.stat().st_size > 10_000


def test_a_mapped_array_asks_for_its_place_at_once(disk):
    """Else the process would end by SIGBUS at the first page without a place."""
    code = (
        "import sys; from mri2pet.files import atomic, new_array\n"
        "with atomic(sys.argv[1]) as partial: new_array(partial, (1000, 1000))[:] = 1"
    )
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code, disk / "a.npy"], capture_output=True, text=True,
        env={"PYTHONPATH": str(source)},
    )  # fmt: skip
    assert done.returncode == 1
    assert "InputError" in done.stderr and "free some space" in done.stderr
    assert not list(disk.iterdir())
    rows = new_array(disk / "b.npy", (3, 4))
    rows[1] = 2
    rows.flush()
    np.testing.assert_array_equal(np.load(disk / "b.npy"), np.repeat([0, 2, 0], 4).reshape(3, 4))


def convert(disk: Path, series: Path) -> Path:
    image, sidecar = disk / "scan.nii.gz", disk / "scan.json"
    run_stage(
        "convert_mri", lambda: convert_scan(series, "1", "MRI", image), sidecar, [image], [series]
    )
    return sidecar


def test_a_conversion_without_space_excludes_no_scan(tmp_path):
    """dcm2niix leaves what it has written so far, or ends with an error of its own."""
    series = tmp_path / "raw" / "I1"
    write_series(series, image_id=1)
    with small_disk(tmp_path / "disk", "8k") as disk:
        with pytest.raises(InputError, match="free some space"):
            convert(disk, tmp_path / "raw")
        assert not list(disk.iterdir())
        resize(disk, "128m")
        assert is_excluded(convert(disk, tmp_path / "raw")) is None
        assert nib.load(disk / "scan.nii.gz").shape


def failing_for_want_of_space():
    raise ScanError("Atropos failed (exception in ITK)")


def test_a_step_that_fails_on_a_full_disk_excludes_no_scan(tmp_path):
    with small_disk(tmp_path / "disk", "2m") as disk:
        given = ("segment", failing_for_want_of_space, disk / "a.json", [disk / "a.nii"], ["b"])
        with pytest.raises(InputError, match=r"MB are free, and a step failed .*Atropos"):
            run_stage(*given)
        assert not list(disk.iterdir())
        resize(disk, "128m")
        run_stage(*given)
        assert "Atropos" in is_excluded(disk / "a.json")["reason"]


@pytest.mark.parametrize("words", ["std::bad_alloc", "ITK: Failed to allocate memory for image"])
def test_a_step_that_fails_for_want_of_memory_excludes_no_scan(tmp_path, words):
    def work():
        try:
            raise RuntimeError(words)
        except RuntimeError as error:
            raise ScanError("SyN gave up") from error

    with pytest.raises(MemoryError, match="SyN gave up"):
        run_stage("warp", work, tmp_path / "a.json", [], [])
    assert not list(tmp_path.iterdir())


def test_a_read_only_folder_is_named_with_what_to_do(tmp_path, capsys):
    folder = tmp_path / "results"
    folder.mkdir()
    with read_only(folder):
        for path in (folder / "a.json", folder / "deep/b.json"):
            with pytest.raises(InputError, match=rf"{path.name}: .*Read-only.*--directory"):
                write_json(path, {})
        with pytest.raises(InputError, match=r"results: .*Read-only"):
            check_writable(folder)
        with pytest.raises(SystemExit), log_to(folder / "logs/a.log"):
            pytest.fail("a job without a log")
        assert "a.log: cannot be read or written (Read-only" in capsys.readouterr().err
    check_writable(folder, tmp_path / "to/be/made")
    write_json(folder / "a.json", {})


def test_what_a_killed_job_left_goes_when_the_file_is_made(tmp_path):
    left = tmp_path / ".partial-a.json-abcd1234"
    others = tmp_path / ".partial-a.json.gz-abcd1234"
    for folder in (left, others):
        folder.mkdir()
        (folder / "half").write_text("ha")
    write_json(tmp_path / "a.json", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == [others.name, "a.json"]
