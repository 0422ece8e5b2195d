"""Packing the T2 and PD of all people into the arrays that the IXI models are trained on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mri2pet.cohorts.contract import EXCLUSION_COLUMNS
from mri2pet.cohorts.ixi.ixi_names import SPLITS
from mri2pet.errors import InputError
from mri2pet.exclusion import is_excluded
from mri2pet.files import atomic, new_array, write_json, write_tsv

if TYPE_CHECKING:
    import pandas as pd

CONTRASTS = ("t2", "pd")
COLUMNS = ("index", "subject", "visit", "group", "age", "sex", "site", "split")


def pack_ixi(
    cohort: "pd.DataFrame",
    files: Mapping[str, Sequence[str | Path]],
    sidecars: Sequence[str | Path],
    outputs: Mapping[str, str | Path],
) -> None:
    """Write `t2`, `pd` (N, X, Y, Z), `visits`, `description` and `excluded`.

    Volumes are written one at a time to files mapped into memory.

    Parameters
    ----------
    cohort
        Rows of the IXI table that have a split, in the order of the files.
    files
        Standardised volumes, one path a row, by `t2` and `pd`.
    sidecars
        Of the stage that made them.
    outputs
        By name.

    Raises
    ------
    InputError
        Nobody is left of a part of the split, or grids differ.
    """
    reasons = [is_excluded(path) for path in sidecars]
    rows = cohort.to_dict("records")
    kept = [number for number, reason in enumerate(reasons) if reason is None]
    excluded = [
        (row["subject"], row["visit"], "n/a", "T2 and PD", reason["stage"], reason["reason"])
        for row, reason in zip(rows, reasons, strict=True)
        if reason is not None
    ]
    visits = cohort.iloc[kept].assign(index=range(len(kept)))[list(COLUMNS)]
    for name in SPLITS:
        if not (visits["split"] == name).any():
            raise InputError(
                f"IXI: nobody is left to {name}; {len(excluded)} of {len(rows)} people are "
                f"excluded: {', '.join(sorted({each[-1] for each in excluded})) or 'none'}"
            )
    affines: list[Any] = []
    for name in CONTRASTS:
        with atomic(outputs[name]) as partial:
            affines = _pack([files[name][number] for number in kept], partial)
    import pandas as pd

    write_tsv(outputs["excluded"], pd.DataFrame(excluded, columns=list(EXCLUSION_COLUMNS)))
    write_json(outputs["description"], {"affines": affines, "contrasts": list(CONTRASTS)})
    write_tsv(outputs["visits"], visits)


def _pack(paths: Sequence[str | Path], target: Path) -> list[Any]:
    """Write volumes to one array; return the affine of each (of PD: the same as of T2)."""
    from mri2pet.imaging.volume import array, load_volume

    affines, rows = [], None
    for place, path in enumerate(paths):
        image = load_volume(path)
        if rows is None:
            shape = (len(paths), *image.shape)
            rows = new_array(target, shape)
        if image.shape != rows.shape[1:]:
            raise InputError(
                f"{path}: has {image.shape} voxels, others {rows.shape[1:]}: preprocess all people "
                "with the same ixi.grid"
            )
        rows[place] = array(image)
        affines.append(image.affine.tolist())
    assert rows is not None  # a part of the split without people was refused
    rows.flush()
    return affines


def of_split(visits: "pd.DataFrame", *splits: str) -> "pd.DataFrame":
    """Return the rows of some parts of the split, in the order of the dataset."""
    return visits[visits["split"].isin(splits)].reset_index(drop=True)


def read_split(
    arrays: Sequence[str | Path], visits: "pd.DataFrame", split: str
) -> list[np.ndarray]:
    """Read the volumes (N, X, Y, Z) of one part of the split, and no other's, of each array."""
    rows = of_split(visits, split)["index"]
    return [np.load(path, mmap_mode="r")[rows.to_numpy()] for path in arrays]
