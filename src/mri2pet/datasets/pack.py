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
VISIT_COLUMNS = ("index", "subject", "visit", "group", "age", "sex", "kind")
TISSUES = ("gm", "wm", "csf")
SUBSAMPLES = 4  # along each axis of a target voxel, for masks and labels


@dataclass(frozen=True)
class VisitFiles:
    """Files of one visit: its row of the cohort table, volumes, and the last sidecars."""

    row: Mapping[str, Any]
    volumes: Mapping[str, str | Path]
    mri_sidecar: str | Path
    pet_sidecar: str | Path | None = None


def visit_files(
    cohort: pd.DataFrame, files: Mapping[str, Sequence[str | Path]]
) -> list[VisitFiles]:
    """Bring the rows of the cohort table and lists of files together.

    Parameters
    ----------
    cohort
        Cohort table.
    files
        Lists mri, mri_sidecar and, where the space has tissue maps, gm, wm and csf, one path a
        row; pet and pet_sidecar, one path a paired row; where the table names lesions in its column
        lesion_file, lesion, one path such a row; all in the order of the rows.
    """
    pets = iter(zip(files["pet"], files["pet_sidecar"], strict=True))
    lesions = iter(files.get("lesion", ()))
    names = [name for name in ("mri", *TISSUES) if name in files]
    columns = zip(*(files[name] for name in names), strict=True)
    visits = []
    rows = cohort.astype(object).where(cohort.notna(), None).to_dict("records")
    for row, paths, sidecar in zip(rows, columns, files["mri_sidecar"], strict=True):
        volumes, pet_sidecar = dict(zip(names, paths, strict=True)), None
        if row["kind"] == "paired":
            volumes["pet"], pet_sidecar = next(pets)
        if "lesion" in files and row.get("lesion_file") is not None:
            volumes["lesion"] = next(lesions)
        visits.append(VisitFiles(row, volumes, sidecar, pet_sidecar))
    return visits


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
            excluded.append(_exclusion(row, "MRI", reason))
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
            if name != "pet" or row["kind"] == "paired"
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


def visits_table(visits: Sequence[VisitFiles]) -> pd.DataFrame:
    """Describe the rows of the arrays; columns `VISIT_COLUMNS`, and a study's `role`."""
    rows = [{"index": index, **visit.row} for index, visit in enumerate(visits)]
    table = pd.DataFrame(rows)
    return table[[*VISIT_COLUMNS, *(["role"] if "role" in table else [])]]


def pack_volumes(
    visits: Sequence[VisitFiles], outputs: Mapping[str, str | Path]
) -> tuple[Array, tuple[int, int, int]]:
    """Write one float32 array (N, X, Y, Z) for each name in `outputs`.

    Rows are written one at a time to a file mapped into memory, so that memory does not grow with
    the number of visits. A visit without a PET or a lesion has zeros.

    Parameters
    ----------
    visits
        In the order of the rows.
    outputs
        Path of the `.npy` for each of the names mri, pet, gm, wm, csf, lesion.

    Returns
    -------
    affine : array (4, 4)
        Common to all volumes; voxel to RAS world, mm.
    shape : tuple
        Of one volume.

    Raises
    ------
    InputError
        Volumes differ in grid, or one is damaged or not finite.
    """
    first, affine = _load(visits[0].volumes["mri"])
    shape = first.shape
    with ExitStack() as stack:
        arrays = {}
        for name, path in outputs.items():
            partial = stack.enter_context(atomic(path))
            arrays[name] = new_array(partial, (len(visits), *shape))
        for index, visit in enumerate(visits):
            for name, rows in arrays.items():
                if name not in visit.volumes:
                    continue  # a new file reads as zeros
                data, here = _load(visit.volumes[name])
                if data.shape != shape or not np.allclose(here, affine, atol=1e-3):
                    raise InputError(
                        f"{visit.volumes[name]}: its grid differs from that of "
                        f"{visits[0].volumes['mri']} (shape {data.shape}, expected {shape}; "
                        "or another affine): preprocess all visits with the same settings"
                    )
                rows[index] = data
        for rows in arrays.values():
            rows.flush()
    return affine, shape


def template_mask(image: Any, affine: Array, shape: tuple[int, int, int]) -> Array:
    """Resample a brain mask, its holes filled: a voxel is in if at least half of it is.

    The mask of MNI152NLin6Asym has holes at the ventricles. They are inside the brain, and what
    the masked metrics and losses measure must not leave them out.

    Returns
    -------
    array (X, Y, Z) of bool
    """
    votes = np.zeros(shape, dtype=np.uint16)
    from scipy.ndimage import binary_fill_holes

    data = binary_fill_holes(np.asanyarray(image.dataobj) > 0.5)
    for sample in _subsamples(data, image.affine, affine, shape):
        votes += sample
    mask = 2 * votes.astype(np.int64) >= SUBSAMPLES**3
    if not mask.any():
        raise InputError("the template's brain mask does not overlap the volumes")
    return mask


def resample_labels(
    image: Any,
    affine: Array,
    shape: tuple[int, int, int],
    names: Mapping[int, str],
    complete: bool = True,
) -> Array:
    """Resample a label image by majority over each target voxel.

    A voxel is background if more than half of it is; else it takes the label that fills most of it
    (of labels that fill it equally, the smallest). Unlike the nearest neighbour, this does not lose
    thin regions between sampling points.

    Parameters
    ----------
    image
        Label image (nibabel).
    affine, shape
        Target grid.
    names
        Name of each label.
    complete
        Whether every one must survive: not where the field of view cuts some off.

    Returns
    -------
    array (X, Y, Z) of uint8

    Raises
    ------
    InputError
        A label is lost, and none may be.
    """
    source = np.rint(np.asanyarray(image.dataobj)).astype(np.int64)
    codes = np.array([0, *sorted(names)])
    if not np.isin(source, codes).all():
        raise InputError(f"the atlas holds labels without a name: {set(np.unique(source))}")
    positions = np.searchsorted(codes, source).astype(np.uint8)
    flat = np.arange(int(np.prod(shape)))
    votes = np.zeros((len(codes), flat.size), dtype=np.uint8)
    for sample in _subsamples(positions, image.affine, affine, shape):
        votes[sample.ravel(), flat] += 1
    labels = codes[1 + votes[1:].argmax(axis=0)]
    labels[2 * votes[0].astype(np.int64) > SUBSAMPLES**3] = 0
    lost = [f"{code} ({names[code]})" for code in sorted(set(names) - set(labels.tolist()))]
    if lost and complete:
        raise InputError(
            f"{len(lost)} of {len(names)} atlas regions are lost on the grid {shape}: "
            f"{', '.join(lost[:5])}: the volumes are too coarse or do not overlap the atlas"
        )
    return labels.reshape(shape).astype(np.uint8)


def _subsamples(
    source: Array, source_affine: Array, affine: Array, shape: tuple[int, int, int]
) -> Iterable[Array]:
    """Yield `source` at SUBSAMPLES^3 points spread evenly over each target voxel (nearest)."""
    to_source = np.linalg.inv(source_affine) @ affine
    grid = np.indices(shape, dtype=np.float64).reshape(3, -1)
    steps = (np.arange(SUBSAMPLES) + 0.5) / SUBSAMPLES - 0.5
    limits = np.array(source.shape)[:, None] - 1
    for offset in np.array(np.meshgrid(steps, steps, steps)).reshape(3, -1).T:
        voxel = to_source[:3, :3] @ (grid + offset[:, None]) + to_source[:3, 3:]
        voxel = np.floor(voxel + 0.5).astype(np.intp)
        inside = ((voxel >= 0) & (voxel <= limits)).all(axis=0)
        voxel = np.clip(voxel, 0, limits)
        yield np.where(inside, source[tuple(voxel)], 0).astype(source.dtype).reshape(shape)


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
