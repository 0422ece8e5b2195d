"""The contest's kit as PASTA and SiM2P read it, and what they make as a folder to hand in.

    python -m mri2pet.synthesis.hdf5_kit write pasta results DIR
    python -m mri2pet.synthesis.hdf5_kit read DIR MADE SUBMISSION

`results` is the folder of a run in which `contest_kit` was made. DIR then has a folder `fold-<k>` a
fold with `train.h5`, `valid.h5` and `test.h5`. MADE has what the project has synthesised, also in a
folder `fold-<k>` each.
"""

import argparse
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pandas as pd

from mri2pet.datasets.selection import split_validation, synthesis_rows, training_rows
from mri2pet.errors import InputError
from mri2pet.files import atomic, read_json, read_tsv, write_json
from mri2pet.synthesis.handed_in import FOLD, NAMED, PAIRED, PEOPLE
from mri2pet.synthesis.hdf5_forms import AGE, FORMS, SEX, Array, Form, diagnosis_of, middle_of

if TYPE_CHECKING:
    from h5py import File

LAYOUT, BRAIN = "layout.json", "brain.nii.gz"
VALIDATED = 10  # of so many people of the training folds one is validated on
MADE = "*_syn_pet.nii.gz"
MALE = {"M": 1.0, "F": 0.0}
THEIRS = np.diag([1.5, 1.5, 1.5, 1.0])  # mm: what both write, wherever the brain lies


def write_kit(name: str, results: str | Path, folder: str | Path) -> None:
    """Write the kit of a run for one project, fold by fold.

    The people of a fold, and all with an MRI alone, are in `test.h5`; of the others with a PET one
    in ten in `valid.h5`. A visit without a PET has zeros there: what the project prints as its own
    scores counts these too. Of `tabular` the kit knows age and sex; all else is not a number.

    Parameters
    ----------
    name
        `pasta` or `sim2p`.
    results
        Folder of results; its kit is in `contest/`, its volumes in `datasets/linear/`.
    folder
        To write into.

    Raises
    ------
    InputError
        There is no kit, no such project, a group that it does not know, or a brain larger than
        what it keeps.
    """
    if name not in FORMS:
        raise InputError(f"{name}: known are {', '.join(FORMS)}")
    form, results, folder = FORMS[name], Path(results), Path(folder)
    kit, data = results / "contest", results / "datasets/linear"
    if not (kit / PEOPLE).is_file():
        raise InputError(f"{kit / PEOPLE}: is not there; make it by `snakemake contest_kit`")
    people = read_tsv(kit / PEOPLE, dtype={"subject": str, "visit": str})
    people["group"].map(diagnosis_of)
    about, mask = read_json(kit / "grid.json"), np.load(data / "mask.npy").astype(bool)
    middle = middle_of(mask)
    if not form.holds(mask, middle):
        raise InputError(f"{data / 'mask.npy'}: the brain is larger than what {name} keeps")
    volumes = [np.load(data / f"{kind}.npy", mmap_mode="r") for kind in ("mri", "pet")]
    folds = people[["subject", "fold"]].drop_duplicates()
    for fold in sorted(set(people.loc[people["kind"] == PAIRED, "fold"])):
        rows = training_rows(people, folds, int(fold))
        few = max(1, rows["subject"].nunique() // VALIDATED)
        train, valid = split_validation(rows, few, about["seed"])
        parts = {"train": train, "valid": valid, "test": synthesis_rows(people, folds, int(fold))}
        for part, own in parts.items():
            with atomic(folder / f"fold-{int(fold)}/{part}.h5") as partial:
                _write_file(partial, form, own, train, volumes, middle)
    with atomic(folder / BRAIN) as partial:
        nib.save(nib.Nifti1Image(form.write(mask, middle), THEIRS), partial)
    shutil.copy(kit / PEOPLE, folder / PEOPLE)
    told = {"form": name, "shape": list(mask.shape), "middle": middle.tolist()}
    write_json(folder / LAYOUT, told | {"affine": about["affine"]})


def tabular(rows: pd.DataFrame, form: Form) -> Array:
    """Return what is known of some visits as the project lists it, (n, values); NaN elsewhere."""
    made = np.full((len(rows), len(form.tabular)), np.nan)
    made[:, form.tabular.index(AGE)] = rows["age"].to_numpy(float)
    made[:, form.tabular.index(SEX)] = rows["sex"].map(MALE).to_numpy(float)
    return made


def _write_file(
    path: Path,
    form: Form,
    rows: pd.DataFrame,
    train: pd.DataFrame,
    volumes: Sequence[Array],
    middle: Array,
) -> None:
    """Write one file; mean and deviation of `tabular` are those of the training people."""
    import h5py  # pinned for this alone

    known = tabular(train, form)
    there = np.isfinite(known)
    counts = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, known, 0).sum(axis=0) / counts
    spread = np.sqrt((np.where(there, known - mean, 0) ** 2).sum(axis=0) / counts)
    with h5py.File(path, "w") as file:
        stats = file.create_group("stats/tabular")
        stats.create_dataset("columns", data=list(form.tabular), dtype=h5py.string_dtype())
        stats.create_dataset("mean", data=mean)
        stats.create_dataset("stddev", data=np.where(spread > 0, spread, 1.0))
        for row, values in zip(rows.to_dict("records"), tabular(rows, form), strict=True):
            _write_visit(file, form, row, values, [own[row["index"]] for own in volumes], middle)


def _write_visit(
    file: "File", form: Form, row: dict, values: Array, pair: Sequence[Array], middle: Array
) -> None:
    group = file.create_group(f"sub-{row['subject']}_ses-{row['visit']}")
    for place, volume in zip(("MRI/T1/data", "PET/FDG/data"), pair, strict=True):
        made = form.write(np.asarray(volume), middle)
        group.create_dataset(place, data=made, compression="gzip", compression_opts=1)
    group.create_dataset("tabular", data=values)
    group.attrs["DX"] = diagnosis_of(row["group"])
    group.attrs["VISCODE"] = row["visit"]
    if number := re.search(r"\d+$", row["subject"]):
        group.attrs["RID"] = int(number[0])


def read_made(folder: str | Path, made: str | Path, submission: str | Path) -> int:
    """Put what a project has synthesised on the kit's grid, as a folder to hand in.

    Parameters
    ----------
    folder
        As `write_kit` has written it.
    made
        With files `sub-<subject>_ses-<visit>..._syn_pet.nii.gz`, in folders `fold-<k>`.
    submission
        To write into: `fold-<k>/sub-<subject>_ses-<visit>_pet.nii.gz`, and the kit's people.

    Returns
    -------
    How many PET were read.

    Raises
    ------
    InputError
        Nothing is found, a file has another name or another number of voxels.
    """
    folder, made, submission = (Path(place) for place in (folder, made, submission))
    if not (folder / LAYOUT).is_file():
        raise InputError(f"{folder / LAYOUT}: is not there; write the kit for the project first")
    about = read_json(folder / LAYOUT)
    form, middle = FORMS[about["form"]], np.asarray(about["middle"])
    found = sorted(made.rglob(MADE))
    if not found:
        raise InputError(f"{made}: no file {MADE} lies there")
    for path in found:
        named = NAMED.fullmatch(path.name.removesuffix(".nii.gz"))
        if named is None:
            raise InputError(f"{path}: is not called sub-<subject>_ses-<visit>..., as in the HDF5")
        volume = np.squeeze(np.asanyarray(nib.load(path).dataobj)).astype(np.float32)
        try:
            own = form.read(volume, tuple(about["shape"]), middle)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        folds = [part for part in path.relative_to(made).parts[:-1] if FOLD.fullmatch(part)]
        name = f"sub-{named['subject']}_ses-{named['visit']}_pet.nii.gz"
        with atomic(submission.joinpath(*folds[-1:], name)) as partial:
            nib.save(nib.Nifti1Image(own, np.asarray(about["affine"])), partial)
    shutil.copy(folder / PEOPLE, submission / PEOPLE)
    return len(found)


def main(words: Sequence[str] | None = None) -> None:
    """Write or read, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ways = parser.add_subparsers(dest="way", required=True)
    write = ways.add_parser("write", help="the kit of a run, for a project")
    write.add_argument("project", choices=list(FORMS))
    write.add_argument("results")
    write.add_argument("folder")
    read = ways.add_parser("read", help="what the project has made, to hand in")
    for place in ("folder", "made", "submission"):
        read.add_argument(place)
    chosen = parser.parse_args(words)
    try:
        if chosen.way == "write":
            write_kit(chosen.project, chosen.results, chosen.folder)
            print(f"written: {chosen.folder}")
        else:
            count = read_made(chosen.folder, chosen.made, chosen.submission)
            print(f"{count} PET written: {chosen.submission}")
    except InputError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
