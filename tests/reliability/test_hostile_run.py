"""A run on hostile names and on headers full of a person: nothing is executed, nothing leaks."""

import gzip
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from adni_fakes import PET, exam, image, write
from dicom_fakes import PLANTED, write_series
from heads import write as write_head

from mri2pet.exclusion import is_excluded

# a name that a shell, Snakemake or a URL would each read in a way of its own
EVIL = "a b; touch pwned; $(touch pwned) `touch pwned` 'q' %s &"
PERSON = (*PLANTED, "Zaphod^Beeblebrox", "Betelgeuse", "1942-06-07", "Prefect")
VISITS = {  # participant: what becomes of the MRI
    "011_S_0001": "DICOM",
    "011_S_0002": "NIfTI",
    "011_S_0003": "excluded: two patients",
    "011_S_0004": "excluded: dcm2niix makes two volumes",
    "011_S_0005": "excluded: damaged",
}


def plant(files: list[Path], **changes) -> None:
    """Fill the headers with a person; some readers of the damage would print them."""
    for path in files:
        header = pydicom.dcmread(path)
        header.PatientName = "Zaphod^Beeblebrox"
        header.OtherPatientIDs = header.AccessionNumber = "Prefect"
        header.PatientAddress = header.InstitutionAddress = header.StationName = "Betelgeuse"
        header.ReferringPhysicianName = header.OperatorsName = header.DeviceSerialNumber = "Prefect"
        header.PatientComments = header.StudyID = header.SequenceName = "x"
        for name, value in changes.items():
            setattr(header, name, value)
        header.save_as(path)


def raw_folder(raw: Path) -> None:
    """Write a download of five people whose MRI and PET all name one person."""
    images, exams = [], []
    for number, ptid in enumerate(VISITS, start=1):
        exams.append(exam(ptid))
        images.append(image(number, ptid))
        mri = raw / ptid / "MP; RAGE $(touch pwned)" / "2006-03-30_12_00_00.0" / f"I{number}"
        if ptid == "011_S_0002":
            words = {"descrip": "Zaphod", "db_name": "19420607", "aux_file": "Magrathea"}
            write_head(mri / f"ADNI_x_S1_I{number}.nii", **words, intent_name="Prefect")
            sidecar = {"PatientName": "Zaphod", "InstitutionName": "Magrathea", "EchoTime": 0.003}
            (mri / f"ADNI_x_S1_I{number}.json").write_text(json.dumps(sidecar))
        else:
            files = write_series(mri, image_id=number)
            plant(files)
            if ptid == "011_S_0003":
                plant(files[4:6], PatientID="Prefect")
            if ptid == "011_S_0004":
                plant(files[3:4], Rows=8, PixelData=bytes(256))
            if ptid == "011_S_0005":
                files[5].write_bytes(files[5].read_bytes()[:-300])
                files[5].rename(files[5].with_name("ADNI\n'; touch pwned\t\"_I5.dcm"))
        if number < 3:
            images.append(image(100 + number, ptid, **PET))
            pet = raw / ptid / "FDG" / "2006-03-30_12_00_00.0" / f"I{100 + number}"
            plant(write_series(pet, image_id=100 + number, modality="PT", frames=2))
    images.append(image(50, "011_S_0006; touch pwned"))
    images.append(image(51, "../../011_S_0007"))
    write(raw / f"collection {EVIL}.csv", images)
    write(raw / "ADNIMERGE.csv", exams)


@pytest.fixture(scope="module")
def run(root, tmp_path_factory) -> Path:
    """Take the download through cohort and conversion, in a folder of a hostile name."""
    folder = tmp_path_factory.mktemp("hostile") / f"{EVIL} {{x}}"
    raw = folder / f"raw {EVIL}"
    raw_folder(raw)
    (folder / "config").symlink_to(root / "config")
    labels = [ptid.replace("_", "") for ptid in VISITS]
    targets = [f"results/bids/sub-{s}/ses-bl/anat/sub-{s}_ses-bl_T1w.nii.gz" for s in labels]
    targets += [
        f"results/bids/sub-{s}/ses-bl/pet/sub-{s}_ses-bl_trc-18FFDG_pet.nii.gz" for s in labels[:2]
    ]
    command = [sys.executable, "-m", "snakemake", "--snakefile", root / "Snakefile", "--cores", "2"]
    command += [
        "--directory",
        folder,
        "--config",
        f"raw={raw.relative_to(folder)}",
        "systems=[gla_gan]",
        "--",
    ]
    done = subprocess.run(
        [*map(str, command), "results/bids/participants.tsv", *targets],
        capture_output=True, text=True, umask=0o027, cwd=folder,
        env=os.environ | {"TMPDIR": str(folder)},
    )  # fmt: skip
    (folder / "snakemake.out").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    return folder


def made(folder: Path) -> list[Path]:
    """List what the run has written: results, logs, Snakemake's own files and what it printed."""
    files = [folder / "snakemake.out"]
    for name in ("results", "logs", ".snakemake"):
        files += [path for path in (folder / name).rglob("*") if path.is_file()]
    return files


def test_no_name_was_run(run, root):
    assert not list(run.parent.rglob("pwned"))
    assert not (root / "pwned").exists()
    assert not Path("pwned").exists()
    subjects = {path.name for path in (run / "results/bids").glob("sub-*")}
    assert subjects == {f"sub-{ptid.replace('_', '')}" for ptid in VISITS}


def test_every_scan_ended_as_it_should(run):
    for ptid, what in VISITS.items():
        name = f"sub-{ptid.replace('_', '')}"
        (sidecar,) = (run / "results/bids" / name).rglob("*_T1w.json")
        found = is_excluded(sidecar)
        assert bool(found) == what.startswith("excluded"), (ptid, what)
        assert not found or "\n" not in found["reason"]
    cohort = (run / "results/cohort/dementia.tsv").read_text()
    assert cohort.count("paired") == 2
    excluded = (run / "results/cohort/dementia_exclusions.tsv").read_text()
    assert "011_S_0006; touch pwned" in excluded
    assert len(excluded.splitlines()) == 3


def test_no_word_of_the_person_is_anywhere(run):
    files = made(run)
    assert len(files) > 30
    assert any(path.suffix == ".log" for path in files)
    for path in files:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content += gzip.decompress(content)
        for word in PERSON:
            for form in (word.encode(), word.encode("utf-16-le")):
                assert form not in content, f"{path.relative_to(run)} holds {word}"
    raw = b"".join(path.read_bytes() for path in run.glob("raw*/011_S_0001/**/*.dcm"))
    assert all(word.encode() in raw for word in PERSON if word != "1942-06-07")


def test_the_voxels_are_there_and_their_header_is_bare(run):
    for path in (run / "results/bids").rglob("*.nii.gz"):
        if path.stat().st_size:
            header = nib.load(path).header
            words = ("descrip", "aux_file", "db_name", "intent_name")
            assert not any(bytes(np.asarray(header[word])).strip(b"\0") for word in words)


def test_files_are_readable_as_the_umask_says(run):
    for path in made(run)[1:]:
        if ".snakemake" not in path.relative_to(run).parts:
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == 0o640, f"{path.relative_to(run)} has mode {mode:o}"
    for path in (run / "results").rglob("*"):
        assert not path.is_dir() or stat.S_IMODE(path.stat().st_mode) == 0o750, path


def test_nothing_of_the_work_is_left(run):
    left = [
        path for path in (run / "results").rglob(".*") if not path.name.startswith(".snakemake")
    ]
    assert left == []
