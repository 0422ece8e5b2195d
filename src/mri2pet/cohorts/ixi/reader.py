"""The IXI cohort: who has which images, and who trains, validates and tests (part X1).

Nothing but names is read: of files, of archives' members, and the table of people. An image is
opened when its stage comes.
"""

import hashlib
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mri2pet.cohorts import contract
from mri2pet.cohorts.adni.locate import check_names
from mri2pet.cohorts.archives import is_archive, nifti_members
from mri2pet.cohorts.contract import EXCLUSION_COLUMNS
from mri2pet.cohorts.ixi.ixi_names import CONTRASTS, SPLITS, IxiImage, ixi_label
from mri2pet.cohorts.ixi.ixi_table import IxiPerson, read_people
from mri2pet.errors import InputError, ScanError
from mri2pet.files import MISSING

log = logging.getLogger(__name__)

STAGE = "cohort"
VISIT, GROUP = "bl", "HC"  # one visit each, of healthy people
PREFIX = {"T1": "mri", "T2": "t2", "PD": "pd"}  # of the cohort table's columns
COLUMNS = (
    *contract.COLUMNS,
    *("site", "split", "t2_file", "t2_member", "pd_file", "pd_member"),
)
LOOKED_FOR = "an IXI download: IXI.xls, and files named as IXI002-Guys-0828-T2.nii.gz or their .tar"
_NAME = re.compile(r"IXI0*(\d+)-([A-Za-z0-9]+)-(\d+)-(T1|T2|PD)\.nii(\.gz)?")


def image_of(file: str | Path, member: str = MISSING) -> IxiImage | None:
    """Read what a file's or a member's name says; None if it is no T1, T2 or PD of IXI."""
    name = re.split(r"[/\\]", member)[-1] if member != MISSING else Path(file).name
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    person, site, number, contrast, _ = match.groups()
    return IxiImage(ixi_label(int(person)), contrast, site, number, str(file), member)


def find_images(folder: str | Path) -> list[IxiImage]:
    """Find the images of a download: in archives, in folders at any depth, or both.

    An image that lies unpacked beside its archive is taken unpacked.

    Raises
    ------
    InputError
        The folder is not there or holds no image, or an archive cannot be opened.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; raw must name an IXI download")
    found: dict[tuple[str, str, str, str], IxiImage] = {}
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in sorted(files, key=is_archive):  # files before archives
        for image in _images_of(path):
            key = (image.subject, image.contrast, image.site, image.number)
            found.setdefault(key, image)
    check_names("raw", (image.file for image in found.values()))
    if not found:
        raise InputError(
            f"{folder}: no image named like IXI002-Guys-0828-T2.nii.gz, in a folder or in a .tar"
        )
    return sorted(found.values())


def _images_of(path: Path) -> list[IxiImage]:
    if not is_archive(path):
        return [image] if (image := image_of(path)) else []
    try:
        members = nifti_members(path)
    except ScanError as error:
        raise InputError(f"{error}; download it again, or move it away") from error
    return [image for member in members if (image := image_of(path, member))]


def find_table(folder: str | Path) -> Path:
    """Find IXI.xls, or the CSV it was saved as.

    Raises
    ------
    InputError
        Neither is there.
    """
    check_names("raw", [folder])
    there = sorted(Path(folder).iterdir()) if Path(folder).is_dir() else []
    by_name = {path.name.lower(): path for path in there}
    for name in ("ixi.xls", "ixi.csv"):
        if name in by_name:
            return by_name[name]
    if newer := by_name.get("ixi.xlsx"):
        raise InputError(f"{newer}: only .xls is read; save its sheet 'Table' as IXI.csv beside it")
    raise InputError(f"{folder}: no IXI.xls, nor the sheet 'Table' of it saved as IXI.csv")


def recognise(raw: str | Path) -> str | None:
    """Say by what a folder is an IXI download: its table, or a name of an image."""
    for entry in sorted(Path(raw).iterdir()):
        if entry.name.lower() in ("ixi.xls", "ixi.csv") or image_of(entry):
            return f"the file {entry.name}"
    return None


def list_inputs(raw: str | Path, study: Mapping[str, Any]) -> dict[str, Any]:
    """List the table of people and the archives (`tables`) and the other images (`listing`).

    Raises
    ------
    InputError
        There is no such folder, no table or no image in it.
    """
    table = find_table(raw)
    files = sorted(path for path in Path(raw).rglob("*") if path.is_file())
    archives = [str(path) for path in files if is_archive(path)]
    loose = [path.relative_to(raw).as_posix() for path in files if image_of(path)]
    return {"tables": [str(table), *archives], "listing": loose}


def read(
    raw: str | Path, study: Mapping[str, Any], listing: Sequence[str] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the cohort table of IXI and the table of what is left out.

    Parameters
    ----------
    raw
        The download.
    study
        Its block of the configuration, with the run's `seed` and, where people are to be split,
        `split` (`build_ixi`); `simulated` if the images that `listing` names need not be there yet.
    listing
        Images outside of archives, from `raw`.
    """
    if study.get("simulated"):
        images = [image for name in listing if (image := image_of(Path(raw) / name))]
    else:
        images = find_images(raw)
    return build_ixi(find_table(raw), images, study.get("split"), study.get("seed", 0))


def build_ixi(
    table: str | Path, images: Iterable[IxiImage], split: Mapping[str, int] | None, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the cohort table and the exclusions.

    Parameters
    ----------
    table
        For `read_people`.
    images
        Those that there are.
    split
        People to train on, to validate on and to test on, by `train`, `val`, `test`: of those with
        T2 and PD of one session, as many from each site as its share of them; None for no split.
    seed
        Of the split.

    Returns
    -------
    cohort : DataFrame
        `COLUMNS`; one row a person with any image. `mri_file` is the T1, with which the person is
        an MRI-only visit of other systems; `split` is n/a for people that the split leaves over
        or who lack T2 or PD.
    exclusions : DataFrame
        One row an image, or a person, that is left out, and why.

    Raises
    ------
    InputError
        Fewer people than the split asks for, or none at all.
    """
    people = read_people(table)
    excluded: list[tuple[str, str, str, str]] = []
    chosen = _one_of_each(images, excluded)
    rows = [_row(subject, held, people.get(subject)) for subject, held in sorted(chosen.items())]
    for subject, held in sorted(chosen.items()):
        if split and (reason := _no_pair(held)):  # without one, T1s alone are of use
            excluded.append((subject, MISSING, "T2 and PD", reason))
    for subject in sorted(people.keys() - chosen.keys()):
        reason = "in the table of people, but no T1, T2 or PD of it is there"
        excluded.append((subject, MISSING, "MRI", reason))
    if lost := sorted(chosen.keys() - people.keys()):
        log.warning("not in the table, age and sex not known: %s", ", ".join(lost))
    sites = {row["subject"]: row["site"] for row in rows if not _no_pair(chosen[row["subject"]])}
    splits = assign_splits(sites, split, seed) if split else {}
    cohort = pd.DataFrame(
        [row | {"split": splits.get(row["subject"])} for row in rows], columns=list(COLUMNS)
    )
    left = [(s, VISIT, number, m, STAGE, reason) for s, number, m, reason in sorted(excluded)]
    return cohort, pd.DataFrame(left, columns=list(EXCLUSION_COLUMNS))


def _one_of_each(
    images: Iterable[IxiImage], excluded: list[tuple[str, str, str, str]]
) -> dict[str, dict[str, IxiImage]]:
    """Choose one image of each contrast of each person; note the others as excluded.

    Where a person was scanned twice, the first session with both T2 and PD goes before others.
    """
    by_person: defaultdict[str, list[IxiImage]] = defaultdict(list)
    for image in sorted(images):
        by_person[image.subject].append(image)
    chosen: dict[str, dict[str, IxiImage]] = {}
    for subject, held in by_person.items():
        sessions: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for image in held:
            sessions[image.site, image.number].add(image.contrast)
        order = sorted(sessions, key=lambda key: (not {"T2", "PD"} <= sessions[key], key))
        chosen[subject] = {}
        for image in sorted(held, key=lambda one: order.index((one.site, one.number))):
            first = chosen[subject].setdefault(image.contrast, image)
            if first is not image:
                reason = f"a second {image.contrast} of the person; session {first.number} is taken"
                excluded.append((subject, image.number, image.contrast, reason))
    return chosen


def _no_pair(held: Mapping[str, IxiImage]) -> str:
    """Say why T2 and PD are no pair; nothing if they are one."""
    lost = [contrast for contrast in ("T2", "PD") if contrast not in held]
    if lost:
        return f"no {' and no '.join(lost)}: a pair of one session is needed"
    sessions = [(held[contrast].site, held[contrast].number) for contrast in ("T2", "PD")]
    if sessions[0] != sessions[1]:
        names = " and ".join("-".join(session) for session in sessions)
        return f"T2 and PD are of different sessions ({names})"
    return ""


def _row(subject: str, held: Mapping[str, IxiImage], person: IxiPerson | None) -> dict[str, object]:
    row: dict[str, object] = {
        "subject": subject,
        "visit": VISIT,
        "group": GROUP,
        "age": person.age if person else None,
        "sex": person.sex if person else None,
        "site": next(held[contrast].site for contrast in ("T2", *CONTRASTS) if contrast in held),
        "kind": "mri_only",
    }
    for contrast, image in held.items():
        row |= {f"{PREFIX[contrast]}_file": image.file, f"{PREFIX[contrast]}_member": image.member}
    return row


def assign_splits(
    sites: Mapping[str, str], split: Mapping[str, int], seed: int
) -> dict[str, str | None]:
    """Deal people to train, val and test, each with its share of every site.

    Within a site people are shuffled by a hash of seed and label, so that the order of the input
    does not matter. Site by site, each next person goes where most are still missing in proportion;
    who is not needed belongs to none.

    Parameters
    ----------
    sites
        Person to site.
    split
        How many for each of `SPLITS`.
    seed
        Of the shuffling.

    Raises
    ------
    InputError
        There are not so many people.
    """
    wanted = [split[name] for name in SPLITS]
    total = len(sites)
    if total < sum(wanted):
        raise InputError(
            f"ixi.split asks for {sum(wanted)} people ({', '.join(map(str, wanted))}), and {total} "
            "have a T2 and a PD of one session; ask for fewer"
        )
    quotas: Sequence[int] = [*wanted, total - sum(wanted)]
    dealt = [0] * len(quotas)
    splits: dict[str, str | None] = {}
    order = sorted(sites, key=lambda one: (sites[one], _hash(seed, one)))
    for place, subject in enumerate(order, start=1):
        due = [quota * place / total - given for quota, given in zip(quotas, dealt, strict=True)]
        open_ones = [k for k, quota in enumerate(quotas) if dealt[k] < quota]
        chosen = max(open_ones, key=lambda k: due[k])
        dealt[chosen] += 1
        splits[subject] = SPLITS[chosen] if chosen < len(SPLITS) else None
    return splits


def _hash(seed: int, subject: str) -> str:
    return hashlib.sha256(f"{seed}/ixi/{subject}".encode()).hexdigest()
