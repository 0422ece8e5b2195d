"""PET that others have made of a run's people: found by name, checked before it counts."""

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet.errors import InputError
from mri2pet.files import read_tsv

PAIRED = "paired"  # of a visit with MRI and PET
PEOPLE = "people.tsv"  # of the kit; beside the PET it says for which folds they were made
ARCHIVE = ".npz"
ENDINGS = (".nii", ".nii.gz")
NAMED = re.compile(r"sub-(?P<subject>[A-Za-z0-9]+)_ses-(?P<visit>[A-Za-z0-9]+)(_.*)?")
FOLD = re.compile(r"fold-(\d+)")
TWO_FOLDS = re.compile(r"without-[\d-]+")  # beside them in a run: PET that classifiers learn from
METHOD = "handed_in_{name}"  # in tables
PLACE = 1e-3  # mm: two affines are the same up to this

Array = np.ndarray
Key = tuple[str, str]  # subject, visit
Submission = dict[Key, dict[int | None, Array]]


@dataclass(frozen=True)
class Grid:
    """The grid that all PET must be on.

    Attributes
    ----------
    mask
        (X, Y, Z) bool; what is outside does not count.
    affine
        (4, 4), voxel to MNI152 in mm.
    """

    mask: Array
    affine: Array


def method_of(submission: str | Path) -> str:
    """Return how the tables call a submission, by the name of its folder or archive.

    Raises
    ------
    InputError
        The name has no letter and no digit.
    """
    words = Path(submission).resolve().name.removesuffix(ARCHIVE).lower()
    name = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    if not name:
        raise InputError(f"submission: {submission} has no name that a row can be called by")
    return METHOD.format(name=name)


def files_of(submission: str | Path) -> list[str]:
    """Return the files of a submission, for whoever must know whether one has changed.

    What a run keeps in `without-<j>-<k>` beside the PET of a model's folds is no part of it.

    Raises
    ------
    InputError
        There is no such folder or archive, or nothing in it is a PET.
    """
    place = Path(submission)
    if place.suffix == ARCHIVE and place.is_file():
        return [str(place)]
    if not place.is_dir():
        raise InputError(
            f"submission: {submission} is neither a folder of NIfTI files nor one {ARCHIVE} file"
        )
    found = sorted(
        str(path)
        for path in place.rglob("*")
        if path.name.endswith(ENDINGS)
        and not any(TWO_FOLDS.fullmatch(part) for part in path.relative_to(place).parts)
    )
    if not found:
        raise InputError(f"submission: no NIfTI file (.nii, .nii.gz) lies in {submission}")
    told = place / PEOPLE
    return [*found, *([str(told)] if told.is_file() else [])]


def with_folds(visits: pd.DataFrame, folds: pd.DataFrame) -> pd.DataFrame:
    """Return the dataset's visits, each with the fold of its person."""
    return visits.merge(folds[["subject", "fold"]], on="subject", how="left", validate="m:1")


def kit_table(visits: pd.DataFrame) -> pd.DataFrame:
    """Return the kit's table of people.

    Parameters
    ----------
    visits
        As `with_folds` gives them.

    Returns
    -------
    DataFrame
        subject, visit, group, age, sex, kind, fold, index (row of the dataset's arrays) and `file`:
        the name of the PET to hand in.
    """
    names = "sub-" + visits["subject"] + "_ses-" + visits["visit"] + "_pet.nii.gz"
    columns = ["subject", "visit", "group", "age", "sex", "kind", "fold", "index"]
    return visits[columns].assign(file=names)


def read_submission(submission: str | Path, tested: pd.DataFrame, grid: Grid) -> Submission:
    """Read the PET of all visits.

    Parameters
    ----------
    submission
        A folder of NIfTI files `sub-<subject>_ses-<visit>[_...].nii[.gz]`, at any depth; or an
        archive of numpy with arrays called `sub-<subject>_ses-<visit>`. PET in a folder `fold-<k>`
        are those that were made without fold k.
    tested
        As `with_folds` gives them. Of a visit with a PET (`kind` is `paired`) one is needed; of one
        with an MRI alone one for all folds, or one of each.
    grid
        Of the dataset.

    Returns
    -------
    dict
        Subject and visit to the fold of the folder (None: of no such folder) to (X, Y, Z) float32,
        zero outside the mask.

    Raises
    ------
    InputError
        A PET is missing, is there twice, is of nobody in the run, lies in the folder of another
        fold, is on another grid, or holds a value that is not finite.
    """
    check_people(submission, tested)
    own = {(row.subject, row.visit): row for row in tested.itertuples()}
    found: Submission = {key: {} for key in own}
    for key, name, fold, read in _volumes(Path(submission), grid):
        if key not in own:
            raise InputError(
                f"{name}: subject {key[0]}, visit {key[1]} is not among the visits of this run; "
                f"those that are stand in the kit's {PEOPLE}"
            )
        row = own[key]
        if fold is not None and row.kind == PAIRED and fold != row.fold:
            raise InputError(
                f"{name}: subject {key[0]} is tested in fold {row.fold}, and what made the PET of "
                f"fold {fold} may have seen this person; put there PET made without fold {row.fold}"
            )
        if fold in found[key] or (row.kind == PAIRED and found[key]):
            raise InputError(f"{name}: there is a second PET of subject {key[0]}, visit {key[1]}")
        found[key][fold] = _checked(read(), name, grid.mask)
    folds = set(tested.loc[tested["kind"] == PAIRED, "fold"])
    missing = [key for key, row in own.items() if not _is_whole(found[key], row.kind, folds)]
    if missing:
        subject, visit = min(missing)
        raise InputError(
            f"{submission}: no PET of subject {subject}, visit {visit} ({len(missing)} of "
            f"{len(own)} are missing); it is to be called sub-{subject}_ses-{visit}_pet.nii.gz"
        )
    return found


def volumes_of(found: Submission, rows: pd.DataFrame, fold: int) -> Array:
    """Return the PET (rows, X, Y, Z) of the visits of one fold's synthesis."""
    each = (found[row.subject, row.visit] for row in rows.itertuples())
    return np.stack([own[fold] if fold in own else own[None] for own in each])


def _is_whole(pets: Mapping[int | None, Array], kind: str, folds: set[int]) -> bool:
    """Tell whether a visit has all the PET that are asked for."""
    return None in pets or (bool(pets) if kind == PAIRED else folds <= pets.keys())


def check_people(submission: str | Path, tested: pd.DataFrame) -> None:
    """Compare the kit's table of people, where it lies in a submission, with the run's.

    Raises
    ------
    InputError
        People, visits or folds are others: the PET were made for another run.
    """
    told = Path(submission) / PEOPLE
    if not told.is_file():
        return
    own, theirs = (
        {(row.subject, row.visit): int(row.fold) for row in table.itertuples()}
        for table in (tested, read_tsv(told, dtype={"subject": str, "visit": str}))
    )
    for subject, visit in sorted(own.keys() | theirs.keys()):
        folds = [table.get((subject, visit)) for table in (own, theirs)]
        if folds[0] != folds[1]:
            said = ["in no fold" if fold is None else f"in fold {fold}" for fold in folds]
            raise InputError(
                f"{told}: subject {subject}, visit {visit} is {said[1]}, and in this run "
                f"{said[0]}; the PET were made for a run of another seed or configuration"
            )


def _volumes(
    submission: Path, grid: Grid
) -> Iterator[tuple[Key, str, int | None, Callable[[], Array]]]:
    """Yield subject and visit, the name for messages, the fold of its folder, what reads it."""
    if submission.suffix == ARCHIVE:
        yield from _archived(submission)
        return
    for file in files_of(submission):
        path = Path(file)
        if path.name == PEOPLE:
            continue
        stem = path.name.removesuffix(".gz").removesuffix(".nii")
        folders = path.relative_to(submission).parts[:-1]
        marks = [int(match[1]) for folder in folders if (match := FOLD.fullmatch(folder))]
        fold = marks[-1] if marks else None
        yield _key(stem, file), file, fold, partial(_nifti, path, grid)


def _archived(archive: Path) -> Iterator[tuple[Key, str, int | None, Callable[[], Array]]]:
    try:
        with np.load(archive) as arrays:
            for name in arrays.files:
                where = f"{archive}, array {name}"
                yield _key(name, where), where, None, partial(arrays.__getitem__, name)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{archive}: cannot be read as an archive of numpy ({error})") from error


def _key(stem: str, where: str) -> Key:
    named = NAMED.fullmatch(stem)
    if named is None:
        raise InputError(f"{where}: is not called sub-<subject>_ses-<visit>..., as the kit says")
    return named["subject"], named["visit"]


def _nifti(path: Path, grid: Grid) -> Array:
    from mri2pet.imaging.volume import array, load_volume  # the workflow lists files without them

    volume = load_volume(path)
    if not np.allclose(volume.affine, grid.affine, atol=PLACE) and volume.shape == grid.mask.shape:
        raise InputError(
            f"{path}: its affine is not that of the run's grid, which the kit's grid.json tells; "
            "resample it to that grid"
        )
    return array(volume)


def _checked(volume: Array, name: str, mask: Array) -> Array:
    if volume.shape != mask.shape:
        raise InputError(f"{name}: has {volume.shape} voxels, and the run's grid {mask.shape}")
    own = np.asarray(volume, np.float32)
    if not np.isfinite(own[mask]).all():
        count = int((~np.isfinite(own[mask])).sum())
        raise InputError(f"{name}: {count} voxels of the brain are not finite")
    return np.where(mask, own, np.float32(0))
