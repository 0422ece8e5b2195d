"""Packing all preprocessed visits into the arrays that models are trained on."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mri2pet.cohorts.contract import EXCLUSION_COLUMNS
from mri2pet.errors import InputError
from mri2pet.exclusion import is_excluded
from mri2pet.files import atomic, new_array

log = logging.getLogger(__name__)

Array = np.ndarray
VISIT_COLUMNS = ("index", "subject", "visit", "group", "age", "sex")  # of every space
SPLITS = ("train", "val", "test")
OF_PET = ("pet", "seen", "pet_sidecar")
SEEN = "seen"  # the array that tells what a PET has measured: bool, true without a PET
SUBSAMPLES = 4  # along each axis of a target voxel, for masks and labels


@dataclass(frozen=True)
class VisitFiles:
    """Files of one visit: its row of the cohort table, volumes, and the last sidecars."""

    row: Mapping[str, Any]
    volumes: Mapping[str, str | Path]
    mri_sidecar: str | Path
    pet_sidecar: str | Path | None = None

    @property
    def modality(self) -> str:
        """What goes out with the MRI's sidecar: `MRI`, or the contrasts that share it."""
        return "MRI" if "mri" in self.volumes else " and ".join(map(str.upper, self.volumes))


def with_split(cohort: pd.DataFrame) -> pd.DataFrame:
    """Return the people of a cohort table who have a part in its split."""
    return cohort[cohort["split"].notna()].reset_index(drop=True)


def with_controls(
    cohort: pd.DataFrame, others: pd.DataFrame, keys: Sequence[Sequence[str]]
) -> pd.DataFrame:
    """Append visits of another study, as controls with an MRI alone.

    Parameters
    ----------
    cohort, others
        Cohort tables of both.
    keys
        Subject and visit of each.
    """
    chosen = others.set_index(["subject", "visit"], drop=False).loc[[tuple(key) for key in keys]]
    chosen = chosen.assign(group="control", role="control", kind="mri_only")
    return pd.concat([cohort, chosen.reindex(columns=cohort.columns)], ignore_index=True)


def visit_files(
    cohort: pd.DataFrame, files: Mapping[str, Sequence[str | Path]]
) -> list[VisitFiles]:
    """Bring the rows of the cohort table and lists of files together.

    Parameters
    ----------
    cohort
        Cohort table.
    files
        Name of an array to the volumes that it is packed from, and mri_sidecar and pet_sidecar:
        one path a row; of `OF_PET`, one path a paired row; of lesion, one path a row that names
        one in its column lesion_file; all in the order of the rows.
    """
    rows = cohort.astype(object).where(cohort.notna(), None).to_dict("records")
    found: list[dict[str, str | Path]] = [{} for _ in rows]
    for name, paths in files.items():
        own = [place for place, row in enumerate(rows) if _has(row, name)]
        for place, path in zip(own, paths, strict=True):
            found[place][name] = path
    return [
        VisitFiles(row, each, each.pop("mri_sidecar"), each.pop("pet_sidecar", None))
        for row, each in zip(rows, found, strict=True)
    ]


def _has(row: Mapping[str, Any], name: str) -> bool:
    """Tell whether a visit has a file of some name: not all have a PET or a lesion."""
    if name in OF_PET:
        return row["kind"] == "paired"
    return name != "lesion" or row.get("lesion_file") is not None


def with_lesions_found(visits: Iterable[VisitFiles]) -> list[VisitFiles]:
    """Leave a lesion's mask out where its stage could not use it: the visit stays without."""
    kept = []
    for visit in visits:
        lesion = visit.volumes.get("lesion")
        if lesion is not None and Path(lesion).stat().st_size == 0:
            log.warning("%s: the lesion cannot be used; its sidecar says why", lesion)
            volumes = {name: path for name, path in visit.volumes.items() if name != "lesion"}
            visit = replace(visit, volumes=volumes)
        kept.append(visit)
    return kept


def select_visits(visits: Iterable[VisitFiles]) -> tuple[list[VisitFiles], pd.DataFrame]:
    """Drop what a stage has excluded.

    A visit whose MRI is excluded goes out, its PET with it; a paired visit whose PET alone is
    excluded stays as MRI-only.

    Returns
    -------
    kept : list of VisitFiles
        In the order given; `row["kind"]` says what is left of the visit.
    exclusions : DataFrame
        One row a scan that is left out; columns `EXCLUSION_COLUMNS`.
    """
    kept: list[VisitFiles] = []
    excluded: list[dict[str, Any]] = []
    for visit in visits:
        row = dict(visit.row)
        reason = is_excluded(visit.mri_sidecar)
        pet_reason = is_excluded(visit.pet_sidecar) if visit.pet_sidecar else None
        if reason:
            excluded.append(_exclusion(row, visit.modality, reason))
            if visit.pet_sidecar:
                same = pet_reason is None or pet_reason == reason
                text = f"the MRI of the visit is excluded: {reason['reason']}"
                own = {"stage": reason["stage"], "reason": text} if same else pet_reason
                excluded.append(_exclusion(row, "PET", own))
            continue
        if pet_reason:
            excluded.append(_exclusion(row, "PET", pet_reason))
            row["kind"] = "mri_only"
        volumes = {
            name: path
            for name, path in visit.volumes.items()
            if name not in OF_PET or row["kind"] == "paired"
        }
        kept.append(VisitFiles(row, volumes, visit.mri_sidecar, visit.pet_sidecar))
    if not kept:
        raise InputError(f"no visit is left: all {len(excluded)} scans are excluded")
    return kept, pd.DataFrame(excluded, columns=list(EXCLUSION_COLUMNS))


def pool_exclusions(*tables: pd.DataFrame) -> pd.DataFrame:
    """Join tables of exclusions in a fixed order; a scan that several list alike stands once."""
    pooled = pd.concat([table.astype(object) for table in tables], ignore_index=True)
    keys = pooled.fillna("").astype(str).drop_duplicates()
    order = keys.sort_values(list(EXCLUSION_COLUMNS), kind="stable").index
    return pooled.loc[order].reset_index(drop=True)


def visits_table(visits: Sequence[VisitFiles], further: Sequence[str] = ("kind",)) -> pd.DataFrame:
    """Describe the rows of the arrays; columns `VISIT_COLUMNS` and further ones of the cohort."""
    rows = [{"index": index, **visit.row} for index, visit in enumerate(visits)]
    return pd.DataFrame(rows)[[*VISIT_COLUMNS, *further]]


def check_split(visits: pd.DataFrame, excluded: pd.DataFrame) -> None:
    """Refuse a dataset of which a part of the split (column `split`) is gone.

    Raises
    ------
    InputError
        With the reasons for which people were excluded.
    """
    for name in SPLITS:
        if not (visits["split"] == name).any():
            raise InputError(
                f"nobody is left to {name}; {len(excluded)} of {len(visits) + len(excluded)} "
                f"people are excluded: {', '.join(sorted(set(excluded['reason']))) or 'none'}; "
                "give this part of the split more people"
            )


def pack_volumes(
    visits: Sequence[VisitFiles], outputs: Mapping[str, str | Path], one_grid: bool = True
) -> tuple[Array, tuple[int, int, int]]:
    """Write one array (N, X, Y, Z) for each name in `outputs`: float32, and `seen` bool.

    Rows are written one at a time to a file mapped into memory, so that memory does not grow with
    the number of visits. A visit without a PET or a lesion has zeros, and is all `seen`.

    Parameters
    ----------
    visits
        In the order of the rows.
    outputs
        Path of the `.npy` for each name of an array.
    one_grid
        Whether all visits lie on one grid, as those registered to a template do. Otherwise each
        has its own affine, and all have the same number of voxels along each axis.

    Returns
    -------
    affine : array (4, 4)
        Common to all volumes; voxel to RAS world, mm. Without a common grid (visits, 4, 4).
    shape : tuple
        Of one volume.

    Raises
    ------
    InputError
        Volumes differ in grid, or one is damaged or not finite.
    """
    first = next(iter(outputs))
    data, affine = _load(visits[0].volumes[first])
    shape, affines = data.shape, []
    with ExitStack() as stack:
        arrays = {}
        for name, path in outputs.items():
            partial = stack.enter_context(atomic(path))
            kind = "bool" if name == SEEN else "float32"
            arrays[name] = new_array(partial, (len(visits), *shape), kind)
        for index, visit in enumerate(visits):
            if not one_grid:
                affine = _load(visit.volumes[first])[1]
                affines.append(affine)
            for name, rows in arrays.items():
                if name not in visit.volumes:
                    if name == SEEN:
                        rows[index] = True
                    continue  # a new file reads as zeros
                data, here = _load(visit.volumes[name])
                like = visits[0] if one_grid or data.shape != shape else visit
                if data.shape != shape or not np.allclose(here, affine, atol=1e-3):
                    raise InputError(
                        f"{visit.volumes[name]}: its grid differs from that of "
                        f"{like.volumes[first]} (shape {data.shape}, expected {shape}; "
                        "or another affine): preprocess all visits with the same settings"
                    )
                rows[index] = data > 0 if name == SEEN else data
        for rows in arrays.values():
            rows.flush()
    return affine if one_grid else np.array(affines), shape


def _load(path: str | Path) -> tuple[Array, Array]:
    from mri2pet.imaging.volume import load_volume

    if Path(path).stat().st_size == 0:
        raise InputError(f"{path}: empty, but no sidecar says why; delete it to make it again")
    image = load_volume(path)
    data = np.asanyarray(image.dataobj)
    if not np.isfinite(data).all():
        raise InputError(f"{path}: holds values that are not finite")
    return data, image.affine


def _exclusion(row: Mapping[str, Any], modality: str, reason: Mapping[str, str]) -> dict[str, Any]:
    return {
        "subject": row["subject"],
        "visit": row["visit"],
        "image_id": row.get(f"{modality.lower()}_member"),
        "modality": modality,
        "stage": reason["stage"],
        "reason": reason["reason"],
    }
