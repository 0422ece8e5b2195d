"""The simulated IXI: people, their table, and their scans under IXI's own names."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mri2pet.cohorts.ixi.ixi_names import CONTRASTS, ixi_label
from mri2pet.errors import InputError
from mri2pet.files import atomic
from mri2pet.simulation.people import MOST_PEOPLE, Person, Visit, make_person

if TYPE_CHECKING:
    from mri2pet.simulation.template import Template

SITES = ("Guys", "HH", "IOP")
SHARES = (0.55, 0.32, 0.13)  # of the people, as in IXI
FIRST = 20_000  # of the numbers that people's randomness hangs on: none is also in another cohort
MOST = 997  # a prime: three-digit numbers of people are a permutation modulo it
HEADER = (
    *("IXI_ID", "SEX_ID (1=m, 2=f)", "HEIGHT", "WEIGHT", "ETHNIC_ID", "MARITAL_ID"),
    *("OCCUPATION_ID", "QUALIFICATION_ID", "DOB", "DATE_AVAILABLE", "STUDY_DATE", "AGE"),
)


def plan_ixi(people: int, seed: int) -> list[tuple[Person, str]]:
    """Plan who is in the simulated IXI.

    Everything about a person follows from seed and number: a larger cohort begins with the same
    people.

    Parameters
    ----------
    people
        How many, at most 996.
    seed
        The run's.

    Returns
    -------
    list of (Person, str)
        `ptid` is the label (IXI002), `group` CN, age 20 to 86, one visit; and the person's part
        of the files' names: IXI002-Guys-0828.

    Raises
    ------
    InputError
        If so many people are not possible.
    """
    if not 1 <= people < MOST:
        raise InputError(f"simulation.people is {people}; 1 to {MOST - 1} can be made")
    return [_plan(number, seed) for number in range(people)]


def _plan(number: int, seed: int) -> tuple[Person, str]:
    rng = np.random.default_rng([seed, FIRST + number, MOST_PEOPLE])
    label = ixi_label((number * 613 + 2) % MOST)
    site = str(rng.choice(SITES, p=SHARES))
    session = int(rng.integers(500, 2900))
    age = round(float(rng.uniform(20, 86)), 2)
    person = make_person(seed, FIRST + number, "CN", pet=False, second_visit=False)
    visit: Visit = person.visits[0]
    person = replace(person, ptid=label, age=age, visits=(visit,))
    return person, f"{label}-{site}-{session:04d}"


def planned_files(names: Sequence[str], t1: bool = True) -> list[str]:
    """List the images of people by the files they will be: IXI-T2/<name>-T2.nii.gz."""
    contrasts = CONTRASTS if t1 else CONTRASTS[1:]
    return [f"IXI-{contrast}/{name}-{contrast}.nii.gz" for name in names for contrast in contrasts]


def write_ixi_table(people: Sequence[Person], path: str | Path) -> None:
    """Write the sheet of IXI.xls as CSV, with faults of the real one.

    Nothing that is pinned writes .xls. The fifth person has no age and no date of the study, and
    the seventh stands there twice; height and weight are 0, which stands for missing.
    """
    rows: list[Sequence[Any]] = []
    for number, person in enumerate(people):
        studied = person.visits[0].mri_time[:10]
        born = f"{int(studied[:4]) - int(person.age)}{studied[4:]}"
        sex = {"M": 1, "F": 2}[person.sex]
        row = [int(person.ptid[3:]), sex, 0, 0, 1, 2, 1, 5, born, 1, studied, person.age]
        if number == 4:
            row[-2:] = ["", ""]
        rows += [row] * (1 + (number == 6))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADER, *rows])
    with atomic(path) as partial:
        partial.write_text(text.getvalue())


def simulate_ixi_subject(
    template: "Template",
    t2: str | Path,
    person: Person,
    scanner: Mapping[str, Any],
    images: Mapping[str, str | Path],
    truth: str | Path,
) -> None:
    """Scan one person: PD and T2 of one acquisition and, where it is wanted, a T1.

    Parameters
    ----------
    template
        The anatomy that everyone is made from.
    t2
        Its T2-weighted image, as `fetch_atlases` brings it.
    person
        Of `plan_ixi`.
    scanner
        `voxel_mm` of PD and T2, `t1_voxel_mm` (three numbers each: left-right, front-back,
        up-down).
    images
        NIfTI to write for PD, T2 and, if it is there, T1.
    truth
        NIfTI to write: the tissue (0, 1 GM, 2 WM, 3 CSF) in each voxel of PD and T2.
    """
    from nibabel import Nifti1Image

    from mri2pet.imaging.volume import save_volume
    from mri2pet.simulation.anatomy import make_head
    from mri2pet.simulation.mri import acquire_t1, t1_contrast
    from mri2pet.simulation.t2_pd import acquire_dual_echo, echoes, load_t2
    from mri2pet.simulation.warps import random_pose

    head = make_head(template, person, person.visits[0])
    rng = person.rng("bl")
    pose = random_pose(rng)
    contrasts = echoes(template, load_t2(t2), rng)
    scans, tissue = acquire_dual_echo(
        template, contrasts, head.deformation, pose, scanner["voxel_mm"], rng
    )
    if "T1" in images:
        contrast = t1_contrast(template, person.age, rng)
        scans["T1"], _ = acquire_t1(
            template, contrast, head.deformation, pose, scanner["t1_voxel_mm"], rng
        )
    save_volume(truth, Nifti1Image(tissue, scans["T2"].affine))
    for contrast, path in images.items():
        save_volume(path, Nifti1Image(scans[contrast].data, scans[contrast].affine))
