"""Synthetic volumes as an array for the next stages and as BIDS-named NIfTI for the user."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mri2pet.bids_output import GENERATED_BY, derivative_description, source_uris
from mri2pet.cohorts.tracers import FDG, read_tracer
from mri2pet.errors import InputError
from mri2pet.files import atomic, read_json, write_json, write_tsv

Array = np.ndarray
STANDARDISED = "standard deviations from the mean of the volume"
TARGETS = {  # BIDS suffix, unit
    "pet": ("pet", "arbitrary"),
    "t2": ("T2w", STANDARDISED),
    "pd": ("PDw", STANDARDISED),
}


def write_synthesis(
    made: Array,
    rows: pd.DataFrame,
    model: str,
    description: str | Path,
    sources: Sequence[str],
    array: str | Path,
    table: str | Path,
    nifti: str | Path,
    space: str = "space-MNI152_res-64",
    target: str = "pet",
    tracer: str = FDG,
) -> None:
    """Write one model's synthetic volumes of one fold.

    Parameters
    ----------
    made
        (M, X, Y, Z) float32.
    rows
        M rows: the dataset's columns and, where these have no `split`, `role`.
    model
        Name in the configuration; in file names without what BIDS labels may not hold.
    description
        The dataset's JSON, for the 4x4 `affine` of all rows or the `affines` of each.
    sources
        Files that the volumes were made from.
    array, table, nifti
        Outputs: .npy, .tsv, and a folder of NIfTI files each with its sidecar, and with BIDS's
        dataset_description.json.
    space
        BIDS entities of space and resolution in the NIfTI files' names.
    target
        What the volumes are, a key of `TARGETS`.
    tracer
        Of a PET, as BIDS labels it.
    """
    import nibabel as nib

    if len(made) != len(rows):
        raise InputError(f"{len(made)} synthetic volumes for {len(rows)} visits")
    about, (suffix, unit) = read_json(description), TARGETS[target]
    words, entity = suffix, ""
    if target == "pet":
        known = read_tracer(tracer)
        words, entity = f"{known.name if known else tracer}-PET", f"trc-{tracer}_"
    label = "".join(filter(str.isalnum, model))
    folder = Path(nifti)
    folder.mkdir(parents=True, exist_ok=True)
    for volume, row in zip(made, rows.to_dict("records"), strict=True):
        stem = f"sub-{row['subject']}_ses-{row['visit']}"
        stem += f"_{space}_{entity}desc-{label}_{suffix}"
        affine = affine_of(about, row["index"])
        with atomic(folder / f"{stem}.nii.gz") as partial:
            nib.save(nib.Nifti1Image(np.asarray(volume, np.float32), affine), partial)
        sidecar = folder / f"{stem}.json"
        write_json(sidecar, _sidecar(row, model, source_uris(sources, sidecar), words, unit))
    about_all = derivative_description(f"Synthetic {words} by {model}", folder)
    write_json(folder / "dataset_description.json", about_all)
    write_tsv(table, rows)
    with atomic(array) as partial:
        np.save(partial, np.asarray(made, np.float32))


def affine_of(description: Mapping[str, Any], index: int) -> Array:
    """Return the affine (4, 4) of one row of a dataset, from what its JSON says."""
    own = description.get("affines")
    return np.asarray(description["affine"] if own is None else own[index], dtype=float)


def _sidecar(
    row: Mapping[str, Any], model: str, sources: list[str], words: str, unit: str
) -> dict[str, Any]:
    return {
        "Description": f"Synthetic {words}",
        "Units": unit,
        "Model": model,
        **{key.capitalize(): row[key] for key in ("role", "split") if key in row},
        "DatasetRow": row["index"],
        "Sources": sources,
        "GeneratedBy": [entry | {"Stage": "synthesis"} for entry in GENERATED_BY],
    }
