"""The stamp of a raw image changes with its own files, and with nothing else."""

import os
from pathlib import Path

import pytest

from mri2pet.cohorts.adni.locate import find_image, image_files, image_stamp

FOLDER = "MPRAGE/2010-01-07_00_00_00.0/I{}"


@pytest.fixture
def person(tmp_path) -> Path:
    for image in (11, 12):
        series = tmp_path / FOLDER.format(image)
        series.mkdir(parents=True)
        for name in (f"ADNI_x_S9_I{image}.dcm", "plain.dcm"):
            (series / name).write_text(name)
    return tmp_path


def anew(person: Path) -> tuple[str, str]:
    """Stamps of both images, listed as a new process would."""
    os.utime(person, ns=(0, person.stat().st_mtime_ns + 1))
    return image_stamp(person, "I11"), image_stamp(person, 12)


def test_it_stays_while_nothing_changes(person):
    assert anew(person) == anew(person)
    assert len(set(anew(person))) == 2


@pytest.mark.parametrize("change", ["content", "time", "new", "gone", "renamed"])
def test_it_changes_with_the_files_of_its_image_alone(person, change):
    before = anew(person)
    file = person / FOLDER.format(11) / "plain.dcm"
    match change:
        case "content":
            file.write_text("another scan")
        case "time":
            os.utime(file, ns=(0, 0))
        case "new":
            file.with_name("slice2.dcm").touch()
        case "gone":
            file.unlink()
        case "renamed":
            file.rename(file.with_name("slice.dcm"))
    after = anew(person)
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_it_lists_the_files_that_the_conversion_finds(person):
    files = find_image(person, 11)
    assert image_files(person, 11) == files and len(files) == 2
    assert image_files(person, 99) == []
    assert image_stamp(person, 99)


def test_a_folder_that_is_not_there_yet_has_none(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        image_stamp(tmp_path / "001_S_0001", 11)
    assert caught.value.filename == str(tmp_path / "001_S_0001")
