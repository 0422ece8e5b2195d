"""Synthetic PET as an array for the next stages and as BIDS-named NIfTI for the user."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mri2pet import __version__
from mri2pet.errors import InputError
from mri2pet.files import atomic, read_json, write_json, write_tsv

Array = np.ndarray


def write_synthesis(
    pet: Array,
    rows: pd.DataFrame,
    model: str,
    description: str | Path,
    sources: Sequence[str],
    array: str | Path,
    table: str | Path,
    nifti: str | Path,
    space: str = "space-MNI152_res-64",
) -> None:
    """Write one model's synthetic PET of one fold.

    Parameters
    ----------
    pet
        (M, X, Y, Z) float32, 0 to 1.
    rows
        M rows: the dataset's columns and `role`.
    model
        Name in the configuration; in file names without what BIDS labels may not hold.
    description
        The dataset's JSON, for its 4x4 `affine`.
    sources
        Files that the volumes were made from.
    array, table, nifti
        Outputs: .npy, .tsv, and a folder of NIfTI files each with its sidecar.
    space
        BIDS entities of space and resolution in the NIfTI files' names.
    """
    import nibabel as nib

    if len(pet) != len(rows):
        raise InputError(f"{len(pet)} synthetic volumes for {len(rows)} visits")
    affine = np.asarray(read_json(description)["affine"], dtype=float)
    label = "".join(filter(str.isalnum, model))
    folder = Path(nifti)
    folder.mkdir(parents=True, exist_ok=True)
    for volume, row in zip(pet, rows.to_dict("records"), strict=True):
        stem = f"sub-{row['subject']}_ses-{row['visit']}"
        stem += f"_{space}_trc-18FFDG_desc-{label}_pet"
        with atomic(folder / f"{stem}.nii.gz") as partial:
            nib.save(nib.Nifti1Image(np.asarray(volume, np.float32), affine), partial)
        write_json(folder / f"{stem}.json", _sidecar(row, model, sources))
    write_tsv(table, rows)
    with atomic(array) as partial:
        np.save(partial, np.asarray(pet, np.float32))


def _sidecar(row: Mapping[str, Any], model: str, sources: Sequence[str]) -> dict[str, Any]:
    return {
        "Description": "Synthetic FDG-PET",
        "Units": "arbitrary",
        "Model": model,
        "Role": row["role"],
        "DatasetRow": row["index"],
        "Sources": list(sources),
        "GeneratedBy": [{"Name": "mri2pet", "Version": __version__, "Stage": "synthesis"}],
    }
