"""The simulated epilepsy study: healthy adults, and patients with one focal lesion (part A1).

Planning is light (no images), as in `people`: everything about a person follows from the seed and
the person's number, and a larger study begins with the same people. What a person is scanned with
is what BIDS names: `files` lists it before any scan is made.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.errors import InputError
from mri2pet.simulation.lesion import Lesion, plan_lesion
from mri2pet.simulation.people import Person, Visit

FIRST = 30_000  # of their numbers, which nobody of another study has: randomness hangs on them
AGES = (20.0, 60.0)  # years, drawn around the middle: adults before dementia's atrophy
SESSION = "bl"
ROLES = ("control", "patient")
# numbers of their own for each kind, so that more of one leave the others as they are
FIRST_OF = {"paired": 1, "mri_only": 401, "patients": 701}
MOST = 299  # of each kind


@dataclass(frozen=True)
class Member:
    """One member of the study: BIDS label, role, whether there is a PET, and a patient's lesion."""

    subject: str
    role: str
    kind: str
    person: Person
    lesion: Lesion | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values only, as a rule's parameter needs them."""
        return asdict(self) | {"person": self.person.as_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Member":
        """Undo `as_dict`."""
        lesion = values["lesion"]
        return cls(
            **{
                **values,
                "person": Person.from_dict(values["person"]),
                "lesion": None if lesion is None else Lesion(**lesion),
            }
        )


def plan_members(simulation: Mapping[str, Any], seed: int) -> list[Member]:
    """Plan the study: paired controls, then controls with an MRI alone, then patients.

    Parameters
    ----------
    simulation
        The block `simulation` of the study: `paired`, `mri_only`, `patients` and `lesion`, the
        ranges `depth` (share of the uptake that is lost) and `ml`, or a list of such strata.
    seed
        The run's seed.

    Raises
    ------
    InputError
        If the numbers or ranges are not possible.
    """
    members = []
    for key, first in FIRST_OF.items():
        count = simulation[key]
        if not 0 <= count <= MOST:
            raise InputError(f"simulation.{key}: {count} is not one of 0 to {MOST}")
        role = "patient" if key == "patients" else "control"
        kind = "mri_only" if key == "mri_only" else "paired"
        for number in range(first, first + count):
            person = make_adult(seed, FIRST + number, kind == "paired")
            lesion = None
            if role == "patient":
                where = "simulation.lesion"
                lesion = plan_lesion(simulation["lesion"], number - first, where)
            members.append(Member(f"EPI{number:03d}", role, kind, person, lesion))
    return members


def make_adult(seed: int, number: int, pet: bool) -> Person:
    """Make one person without dementia, 20 to 60 years old, with one visit."""
    blank = Person(seed, number, f"EPI{number - FIRST:03d}", number, "CN", "M", 0.0, 0.0, ())
    rng = blank.rng("person")
    sex = "MF"[rng.integers(2)]
    age = round(float(np.clip(rng.normal(sum(AGES) / 2, 10), *AGES)), 1)
    day = "2015-01-01 10:00:00"  # dates are not written: BIDS needs none
    visit = Visit(SESSION, 0.0, day, 0, 0, day if pet else None)
    return Person(seed, number, blank.ptid, number, "CN", sex, age, 0.0, (visit,))


def files(member: Member) -> dict[str, str]:
    """Paths of a member's images in the BIDS folder: `t1w`, and `pet` and `lesion` where there are.

    Sidecars stand beside them, with the ending .json.
    """
    folder = f"sub-{member.subject}/ses-{SESSION}"
    stem = f"sub-{member.subject}_ses-{SESSION}"
    found = {"t1w": f"{folder}/anat/{stem}_T1w.nii.gz"}
    if member.kind == "paired":
        found["pet"] = f"{folder}/pet/{stem}_trc-18FFDG_pet.nii.gz"
    if member.lesion is not None:
        mask = f"{folder}/anat/{stem}_label-lesion_mask.nii.gz"
        found["lesion"] = f"derivatives/lesions/{mask}"
    return found


def participants(members: list[Member]) -> list[dict[str, Any]]:
    """Rows of participants.tsv; no row tells where a lesion is or how deep."""
    return [
        {
            "participant_id": f"sub-{member.subject}",
            "group": member.role,
            "age": member.person.age,
            "sex": member.person.sex,
        }
        for member in members
    ]


def lesions(members: list[Member]) -> list[dict[str, Any]]:
    """Rows of the truth about all lesions: whose, of which stratum, how deep and how large."""
    return [
        {
            "subject": member.subject,
            "visit": SESSION,
            "stratum": member.lesion.stratum,
            "depth": member.lesion.depth,
            "ml": member.lesion.ml,
        }
        for member in members
        if member.lesion is not None
    ]


def write_tables(members: list[Member], folder: str | Path) -> None:
    """Write participants.tsv, its description, and what describes the dataset, to a BIDS folder.

    The folder of the lesions' masks is a dataset of derivatives and has a description of its own.
    """
    import pandas as pd

    from mri2pet.bids_output import BIDS_VERSION, derivative_of
    from mri2pet.files import write_json, write_tsv

    folder = Path(folder)
    write_tsv(folder / "participants.tsv", pd.DataFrame(participants(members)))
    levels = {"control": "healthy", "patient": "epilepsy with one lesion"}
    write_json(
        folder / "participants.json",
        {
            "group": {"Description": "control or patient", "Levels": levels},
            "age": {"Description": "at the MRI", "Units": "years"},
            "sex": {"Description": "sex", "Levels": {"M": "male", "F": "female"}},
        },
    )
    write_json(
        folder / "dataset_description.json",
        {"Name": "Simulated epilepsy study", "BIDSVersion": BIDS_VERSION, "DatasetType": "raw"},
    )
    write_json(
        folder / "derivatives/lesions/dataset_description.json",
        derivative_of("Masks of the simulated lesions", {"raw": "../.."}),
    )
