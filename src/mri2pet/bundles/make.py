"""Make a bundle: what a finished run knows of one model, without the people behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mri2pet.bundles.card import card
from mri2pet.bundles.manifest import (
    CARD,
    CONTROLS,
    GRID,
    REGIONS,
    SCORES,
    WEIGHTS,
    write_manifest,
)
from mri2pet.bundles.people import control_uptake, likeness, scores, summary, trained_on
from mri2pet.bundles.weights import save_arrays, save_weights
from mri2pet.errors import InputError
from mri2pet.files import atomic, read_json, read_tsv, sha256, write_tsv

Array = np.ndarray
Paths = Sequence[str | Path]


@dataclass(frozen=True)
class Made:
    """Files of a run that a bundle is made from.

    Attributes
    ----------
    visits, description, mask, source
        Of the dataset: table of visits, JSON, brain mask and the array that the model is shown.
    weights, chosen
        Of each fold: the generator's state dict, and what its training chose.
    made_visits, made
        Of each fold: the table of synthesised visits, and their volumes.
    metrics
        Of the model and of the reference: a table a fold, in a folder named by the method.
    sidecars, quality
        Of the visits: JSON of the MRI in BIDS, and of its quality control (none for IXI).
    coverage, calibrations
        Of a model that draws: a table a fold of what its intervals hold, and what was set on the
        people held out of the training.
    atlas, regions
        Atlas on the dataset's grid, and its table of names; empty where there is none.
    templates
        Files that preprocessing registers to, by the name under which they are known.
    """

    visits: str | Path
    description: str | Path
    mask: str | Path
    source: str | Path
    weights: Paths
    chosen: Paths
    made_visits: Paths
    made: Paths
    metrics: Paths
    sidecars: Paths
    quality: Paths = ()
    coverage: Paths = ()
    calibrations: Paths = ()
    atlas: str | Path = ""
    regions: str | Path = ""
    templates: Mapping[str, str | Path] = field(default_factory=dict)


def make_bundle(folder: str | Path, given: Made, about: Mapping[str, Any], run: Mapping) -> None:
    """Write a bundle into a folder that is there and empty.

    Parameters
    ----------
    folder
        Of the bundle.
    given
        Files of the run.
    about
        What the configuration says: `system`, `model`, `label`, `entry`, `crop`, `preproc`, `maps`,
        `source`, `target`, `tracer`, `space` (name, entities, grid), `study` (name, simulated,
        licence), `groups`, `training_groups`, `controls`, `over_folds`, `draws`.
    run
        What the run says of itself: `versions`, `commit`, `records` (hashes).

    Raises
    ------
    InputError
        If nobody is left of those that the trainings name.
    """
    import torch

    folder = Path(folder)
    text = {"subject": str, "visit": str}
    visits, told = read_tsv(given.visits, dtype=text), read_json(given.description)
    chosen = [read_json(path) for path in given.chosen]
    rows = trained_on(visits, chosen)
    if rows.empty:
        raise InputError(f"{given.visits}: nobody that the trainings name is in it; train again")
    folds = []
    for number, (path, each) in enumerate(zip(given.weights, chosen, strict=True)):
        name = WEIGHTS.format(fold=number)
        state = torch.load(path, map_location="cpu", weights_only=True)
        save_weights(folder / name, state)
        folds.append({"weights": name, "smoothing_fwhm_mm": each["smoothing_fwhm_mm"]})
    for fold, path in zip(folds, given.calibrations, strict=False):
        fold["temperatures"] = read_json(path)["temperatures"]
    mask = np.load(given.mask).astype(bool)
    grids = {"mask": mask}
    if given.atlas:
        grids["atlas"] = np.load(given.atlas)
        _write_regions(folder, given, about, grids["atlas"], mask)
    save_arrays(folder / GRID, grids)
    groups = about["training_groups"]
    table = scores(_metrics(given.metrics), groups, about["over_folds"])
    write_tsv(folder / SCORES, table)
    source = np.load(given.source, mmap_mode="r")
    kept = ("system", "model", "label", "entry", "crop", "preproc", "maps", "source", "target")
    content = {key: about[key] for key in (*kept, "tracer", "study", "groups")}
    content |= {
        "space": _space(about["space"], told, mask),
        "folds": folds,
        "trained_on": summary(rows, given.sidecars) | {"groups": list(groups)},
        "controls": list(about["controls"]),
        "like": likeness(rows, source, mask, given.quality) if given.quality else {},
        "calibration": _calibration(given.coverage),
        "draws": about.get("draws") or {},
        "templates": {name: sha256(path) for name, path in given.templates.items()},
        **run,
    }
    with atomic(folder / CARD) as partial:
        partial.write_text(card(content, table), encoding="utf-8")
    write_manifest(folder, content)


def _write_regions(
    folder: Path, given: Made, about: Mapping[str, Any], atlas: Array, mask: Array
) -> None:
    """Write the names of the atlas's regions, and their uptake in controls."""
    names = read_tsv(given.regions)
    write_tsv(folder / REGIONS, names)
    text = {"subject": str, "visit": str}
    made = (
        (read_tsv(visits, dtype=text), np.load(volumes, mmap_mode="r"))
        for visits, volumes in zip(given.made_visits, given.made, strict=True)
    )
    uptake = control_uptake(made, about["controls"], atlas, mask, names["name"].to_list())
    write_tsv(folder / CONTROLS, uptake)


def _space(space: Mapping[str, Any], told: Mapping[str, Any], mask: Array) -> dict[str, Any]:
    """Describe the grid of the networks. Where each scan has its own, the place of none is told."""
    grid = {"shape": list(mask.shape)}
    if "affine" in told:
        grid["affine"] = told["affine"]
    return {**space, **grid, "intensity": told.get("intensity", "uptake")}


def _metrics(paths: Paths) -> pd.DataFrame:
    """Join tables of metrics, the folder of each as its method."""
    frames = [
        read_tsv(path, dtype={"subject": str, "visit": str}).assign(method=Path(path).parent.name)
        for path in paths
    ]
    return pd.concat(frames, ignore_index=True)


def _calibration(paths: Paths) -> list[dict[str, float]]:
    """Return the share of the brain in intervals of the draws, the mean over held-out people."""
    if not paths:
        return []
    tables = pd.concat([read_tsv(path, dtype={"subject": str}) for path in paths])
    tables = tables[tables["chosen"] == 1]
    of_people = tables.groupby(["nominal", "subject"])["coverage"].mean()
    means = of_people.groupby("nominal").mean()
    return [{"nominal": float(n), "coverage": float(value)} for n, value in means.items()]
