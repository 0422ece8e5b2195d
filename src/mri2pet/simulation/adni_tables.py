"""The two tables that come with an ADNI download: the collection's list and ADNIMERGE."""

import csv
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from mri2pet.files import atomic
from mri2pet.simulation.dicom_writer import PET_DESCRIPTION, Image, mri_image, pet_image
from mri2pet.simulation.people import Person, Visit

COLLECTION = (
    *("Image Data ID", "Subject", "Group", "Sex", "Age", "Visit", "Modality", "Description"),
    *("Type", "Acq Date", "Format", "Downloaded"),
)
ADNIMERGE = (
    *("RID", "COLPROT", "ORIGPROT", "PTID", "SITE", "VISCODE", "EXAMDATE", "DX_bl", "AGE"),
    *("PTGENDER", "PTEDUCAT", "PTETHCAT", "PTRACCAT", "PTMARRY", "APOE4", "FDG", "CDRSB"),
    *("ADAS11", "ADAS13", "MMSE", "DX", "Years_bl", "Month_bl", "Month", "M", "update_stamp"),
)
DIAGNOSIS = {"CN": "CN", "SMC": "CN", "EMCI": "MCI", "MCI": "MCI", "LMCI": "MCI", "AD": "Dementia"}
DOWNLOADED = "11/21/2025"


def write_tables(people: Iterable[Person], frames: int, folder: str | Path) -> None:
    """Write collection.csv and ADNIMERGE.csv to `folder`, whole or not at all."""
    people = list(people)
    write_collection(people, frames, Path(folder) / "collection.csv")
    write_adnimerge(people, Path(folder) / "ADNIMERGE.csv")


def write_collection(people: Iterable[Person], frames: int, path: str | Path) -> None:
    """Write LONI's list of the collection: one row an image, every field quoted."""
    rows = []
    for person in people:
        for visit in person.visits:
            images = (mri_image(visit), pet_image(visit, frames))
            rows += [_collection_row(person, visit, image) for image in images if image]
    with atomic(path) as partial, partial.open("w", newline="") as handle:
        writer = csv.writer(handle, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(COLLECTION)
        writer.writerows(rows)


def write_adnimerge(people: Iterable[Person], path: str | Path) -> None:
    """Write the columns of ADNIMERGE that the project and its users read, one row a visit."""
    with atomic(path) as partial, partial.open("w", newline="") as handle:
        writer = csv.DictWriter(
            handle, ADNIMERGE, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n"
        )
        writer.writeheader()
        for person in people:
            for visit in person.visits:
                writer.writerow(_adnimerge_row(person, visit))


def _collection_row(person: Person, visit: Visit, image: Image) -> list[object]:
    mr = image.modality == "MR"
    return [
        f"I{image.image}",
        person.ptid,
        person.group,
        person.sex,
        int(person.age_at(visit)),
        visit.code,
        "MRI" if mr else "PET",
        image.description,
        "Processed" if image.description == PET_DESCRIPTION else "Original",
        f"{image.time.month}/{image.time.day}/{image.time.year}",
        "DCM",
        DOWNLOADED,
    ]


def _adnimerge_row(person: Person, visit: Visit) -> dict[str, object]:
    """Scores follow severity with some scatter; -4 stands for what was not measured."""
    rng = np.random.default_rng([person.seed, person.number, 9, int(visit.years > 0)])
    severity = person.severity_at(visit)
    month = int(visit.code[1:]) if visit.code.startswith("m") else 0
    exam = datetime.fromisoformat(visit.mri_time) - timedelta(days=int(rng.integers(0, 6)))
    scores = np.clip([29.5 - 6.5 * severity, 8 + 12 * severity, 5 * severity - 0.4], 0, 70)
    mmse, adas, cdr = np.maximum(scores + rng.normal(0, [0.8, 2.0, 0.3]), 0)
    row = {
        "RID": person.rid,
        "COLPROT": "ADNI1",
        "ORIGPROT": "ADNI1",
        "PTID": person.ptid,
        "SITE": int(person.ptid[:3]),
        "VISCODE": visit.code,
        "EXAMDATE": exam.strftime("%Y-%m-%d"),
        # ADNIMERGE knows no plain MCI: ADNI-1's is LMCI
        "DX_bl": {"MCI": "LMCI"}.get(person.group, person.group),
        "AGE": person.age,
        "PTGENDER": {"M": "Male", "F": "Female"}[person.sex],
        "PTEDUCAT": int(np.clip(rng.normal(16, 2.5), 6, 20)),
        "PTETHCAT": "Not Hisp/Latino",
        "PTRACCAT": "White",
        "PTMARRY": "Married",
        "APOE4": int(rng.binomial(2, 0.15 + 0.25 * min(severity, 1))),
        "FDG": -4 if visit.pet_image is None else round(1.3 - 0.25 * severity, 5),
        "CDRSB": round(float(cdr) * 2) / 2,
        "ADAS11": round(float(adas) * 3) / 3,
        "ADAS13": -4,
        "MMSE": int(min(round(float(mmse)), 30)),
        "DX": DIAGNOSIS[person.group],
        "Years_bl": visit.years,
        "Month_bl": round(12 * visit.years, 5),
        "Month": month,
        "M": month,
        "update_stamp": "2023-07-15 04:39:51.0",
    }
    return row
