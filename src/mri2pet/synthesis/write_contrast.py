"""Synthesised T2 or PD as an array for the next stages and as BIDS-named NIfTI for the user."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet import __version__
from mri2pet.files import atomic, new_array, read_json, write_json, write_tsv

SUFFIX = {"t2": "T2w", "pd": "PDw"}


def write_contrast(
    made: Iterable[np.ndarray],
    rows: pd.DataFrame,
    model: str,
    target: str,
    description: str | Path,
    sources: Iterable[str],
    array: str | Path,
    table: str | Path,
    nifti: str | Path,
) -> None:
    """Write one model's volumes, each as it comes.

    Parameters
    ----------
    made
        Volumes (X, Y, Z), in standardised intensity, one a row of `rows`.
    rows
        Of the dataset's table.
    model
        Name in the configuration; in file names without what BIDS labels may not hold.
    target
        `t2` or `pd`.
    description
        The dataset's JSON, for the affine of each person.
    sources
        Files that the volumes were made from.
    array, table, nifti
        Outputs: .npy, .tsv, and a folder of NIfTI files each with its sidecar.
    """
    import nibabel as nib

    affines = read_json(description)["affines"]
    label, folder = "".join(filter(str.isalnum, model)), Path(nifti)
    folder.mkdir(parents=True, exist_ok=True)
    sidecar = {
        "Description": f"Synthetic {SUFFIX[target]}",
        "Units": "standard deviations from the mean of the volume",
        "Model": model,
        "Sources": list(sources),
        "GeneratedBy": [{"Name": "mri2pet", "Version": __version__, "Stage": "synthesis"}],
    }
    with atomic(array) as partial:
        volumes = None
        for place, (volume, row) in enumerate(zip(made, rows.to_dict("records"), strict=True)):
            if volumes is None:
                shape = (len(rows), *volume.shape)
                volumes = new_array(partial, shape)
            volumes[place] = volume
            stem = f"sub-{row['subject']}_ses-{row['visit']}_res-model_desc-{label}"
            stem += f"_{SUFFIX[target]}"
            affine = np.array(affines[row["index"]])
            with atomic(folder / f"{stem}.nii.gz") as whole:
                nib.save(nib.Nifti1Image(np.asarray(volume, np.float32), affine), whole)
            more = {"Split": row["split"], "DatasetRow": row["index"]}
            write_json(folder / f"{stem}.json", sidecar | more)
        if volumes is not None:
            volumes.flush()
    write_tsv(table, rows)
