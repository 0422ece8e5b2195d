"""Whatever stands in a file: a volume, a table or a plain reason, and none takes long."""

import gzip
import io
import signal
import tarfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from adni_fakes import PET, exam, image, write
from dicom_fakes import write_series
from heads import head
from heads import write as write_head
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mri2pet.cohorts.adni.locate import find_image
from mri2pet.cohorts.adni.reader import build_cohort
from mri2pet.cohorts.archives import nifti_members
from mri2pet.conversion.dicom_series import check_series
from mri2pet.conversion.nifti import import_nifti
from mri2pet.errors import InputError, Mri2PetError, ScanError
from mri2pet.files import read_json
from mri2pet.imaging.volume import load_scan, load_transform, load_volume

LIMIT = 10  # seconds an example may take
fuzz = settings(max_examples=40, suppress_health_check=list(HealthCheck))
changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)), max_size=6
)
cuts = st.none() | st.floats(0, 1)


@contextmanager
def in_time():
    """Fail, where a reader hangs."""

    def stop(*_):
        raise AssertionError(f"the reader took longer than {LIMIT} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def mutated(content: bytes, changes, cut) -> bytes:
    """Overwrite some places, cut the end off."""
    spoilt = bytearray(content)
    for place, patch in changes:
        start = int(place * len(spoilt))
        spoilt[start : start + len(patch)] = patch
    return bytes(spoilt[: len(spoilt) if cut is None else int(cut * len(spoilt))])


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> dict[str, bytes]:
    """Return small valid files by what they are."""
    folder = tmp_path_factory.mktemp("originals")
    data = head((24, 28, 22))
    plain = write_head(folder / "a.nii", data).read_bytes()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo("a.nii")
        entry.size = len(plain)
        archive.addfile(entry, io.BytesIO(plain))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.nii", plain)
    two = nib.Nifti2Image(data, np.diag([4.0, 4, 4, 1]))
    return {
        "a.nii": plain,
        "b.nii.gz": gzip.compress(plain, 1),
        "c.nii": two.to_bytes(),
        "d.tar": stream.getvalue(),
        "e.zip": packed.getvalue(),
    }


def taken(path: Path, content: bytes) -> None:
    """Read a NIfTI or archive by every reader; a plain error names the file."""
    path.write_bytes(content)
    archive = path.suffix in (".tar", ".zip")
    made = path.parent / "made.nii.gz"
    made.unlink(missing_ok=True)
    with in_time():
        for modality in ("MRI", "PET"):
            try:
                import_nifti(path, "a.nii" if archive else None, made, modality=modality)
                assert np.isfinite(nib.load(made).get_fdata()).all()
                load_scan(made)
            except ScanError as error:
                assert path.name in str(error) or made.name in str(error)
        try:
            nifti_members(path) if archive else load_scan(path)
            load_volume(path)
        except Mri2PetError as error:
            assert path.name in str(error)


@pytest.mark.parametrize("name", ["a.nii", "b.nii.gz", "c.nii", "d.tar", "e.zip"])
@fuzz
@given(changes=changes, cut=cuts)
def test_a_spoilt_scan_is_a_volume_or_a_plain_reason(tmp_path, originals, name, changes, cut):
    taken(tmp_path / name, mutated(originals[name], changes, cut))


@pytest.mark.parametrize("name", ["a.nii", "c.nii"])
@fuzz
@given(changes=changes)
def test_a_spoilt_header_is_a_volume_or_a_plain_reason(tmp_path, originals, name, changes):
    """All changes fall on the header, most of which is in use."""
    size = 352 if name == "a.nii" else 544
    content = originals[name]
    taken(tmp_path / name, mutated(content[:size], changes, None)[:size] + content[size:])


@fuzz
@given(
    content=st.binary(max_size=3000), name=st.sampled_from(["a.nii", "a.nii.gz", "a.tar", "a.zip"])
)
def test_random_bytes_are_no_scan(tmp_path, content, name):
    taken(tmp_path / name, content)


@fuzz
@given(
    changes=changes, cut=cuts, which=st.integers(0, 11), noise=st.none() | st.binary(max_size=400)
)
def test_spoilt_dicom_is_a_series_or_a_plain_reason(tmp_path, changes, cut, which, noise):
    files = write_series(tmp_path / "MPR/I1")
    content = files[which].read_bytes()
    files[which].write_bytes(mutated(content, changes, cut) if noise is None else noise)
    with in_time():
        try:
            assert check_series(find_image(tmp_path, "I1"), "MRI")
        except ScanError as error:
            assert "I1" in str(error)


@fuzz
@given(changes=changes, cut=cuts, which=st.booleans())
def test_spoilt_tables_are_a_cohort_or_a_plain_reason(tmp_path, changes, cut, which):
    tables = [
        write(tmp_path / "collection.csv", [image(1), image(2, **PET), image(3, "011_S_0006")]),
        write(tmp_path / "ADNIMERGE.csv", [exam(), exam("011_S_0006")]),
    ]
    tables[which].write_bytes(mutated(tables[which].read_bytes(), changes, cut))
    with in_time():
        try:
            cohort, _ = build_cohort(tables, ["CN"], 183)
        except InputError as error:
            assert "collection.csv" in str(error) or "ADNIMERGE.csv" in str(error)
        else:
            assert cohort["subject"].str.fullmatch("[0-9]{3}S[0-9]{4,5}").all()


@fuzz
@given(content=st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
def test_random_bytes_are_no_table_sidecar_or_transform(tmp_path, content):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with in_time():
        for read in (
            lambda: build_cohort([path], ["CN"], 9),
            lambda: read_json(path),
            lambda: load_transform(path),
        ):
            try:
                read()
            except InputError as error:
                assert "file.csv" in str(error)
