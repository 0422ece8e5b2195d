"""Make the bundle of an anomaly detector: with it go the volumes of the controls it learnt from.

A one-class SVM is its support vectors, features of single controls at every voxel. They are not
kept: at the size of the paper they would take tens of gigabytes, and the encoder's decoder makes
patches of PET of them again. The volumes themselves hold no more, and give the same decisions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mri2pet.anomaly.added_pet import further_rows
from mri2pet.anomaly.clusters import ClusterSettings, thresholds
from mri2pet.anomaly.maps import left_out_maps, settings_of, smoothed, usual
from mri2pet.anomaly.training_sets import TEXT, fold_people, split_folds, training_volumes
from mri2pet.bundles.detector_card import detector_card
from mri2pet.bundles.manifest import CARD, DETECTOR, GRID, REGIONS, SCORES, write_manifest
from mri2pet.bundles.people import likeness, summary
from mri2pet.bundles.weights import save_arrays, save_weights
from mri2pet.datasets.gaps import mean_of_seen, measured, read_seen
from mri2pet.errors import InputError
from mri2pet.files import atomic, read_json, read_tsv, sha256, write_tsv

Paths = Sequence[str | Path]
ENCODER = "encoder-{fold}.safetensors"
LEARNT = "learnt-{fold}.safetensors"  # of a fold: volumes of controls, and what fills gaps


@dataclass(frozen=True)
class MadeDetector:
    """Files of a run that a detector's bundle is made from.

    Attributes
    ----------
    visits, folds, pet, seen, mask, atlas, description
        Of the dataset.
    weights
        Of each fold of the detector: the encoder's state dict.
    synthetic, synthetic_visits
        Of each generator whose PET is learnt from; empty where there is none.
    scored, decisions
        Table and array of the people that the detector scored.
    detection
        The table of all detectors.
    sidecars, quality
        JSON of the visits' MRI in BIDS, and of its quality control.
    regions
        The atlas's table of names.
    templates
        Files that preprocessing registers to, by the name under which they are known.
    """

    visits: str | Path
    folds: str | Path
    pet: str | Path
    seen: str | Path
    mask: str | Path
    atlas: str | Path
    description: str | Path
    weights: Paths
    scored: str | Path
    decisions: str | Path
    detection: str | Path
    regions: str | Path
    synthetic: Paths = ()
    synthetic_visits: Paths = ()
    sidecars: Paths = ()
    quality: Paths = ()
    templates: Mapping[str, str | Path] = field(default_factory=dict)


def make_detector(
    folder: str | Path, given: MadeDetector, about: Mapping[str, Any], run: Mapping
) -> None:
    """Write a detector's bundle into a folder that is there and empty.

    Parameters
    ----------
    folder
        Of the bundle.
    given
        Files of the run.
    about
        What the configuration says: `system`, `model`, `label`, `preproc`, `tracer`, `space`,
        `study`, `network`, `svm`, `scores`, `clusters`, `direction`, `added`, `splits`.
    run
        What the run says of itself: `versions`, `commit`, `records` (hashes).

    Raises
    ------
    InputError
        As `training_sets.fold_people`, or nobody has scored three controls.
    """
    import torch

    folder = Path(folder)
    visits, told = read_tsv(given.visits, dtype=TEXT), read_json(given.description)
    parts = split_folds(read_tsv(given.folds, dtype=TEXT), about["splits"])
    pet, mask = np.load(given.pet, mmap_mode="r"), np.load(given.mask).astype(bool)
    seen = read_seen(given.seen)
    added = {"visits": visits, "mask": mask, **about["added"]}
    folds, learnt_from, counts = [], set(), []
    for fold, path in enumerate(given.weights):
        name = {"weights": ENCODER.format(fold=fold), "learnt": LEARNT.format(fold=fold)}
        state = torch.load(path, map_location="cpu", weights_only=True)
        save_weights(folder / name["weights"], state)
        people = fold_people(visits, parts, fold).training
        learnt_from |= set(people["subject"])
        known = training_volumes(
            pet, people, given.synthetic, given.synthetic_visits, fold, seen, **added
        )
        save_arrays(folder / name["learnt"], {"pet": known, "mean": _mean(pet, seen, people)})
        folds.append(name)
        counts.append(len(known))
    affine = np.array(told["affine"])
    if about["added"].get("further"):
        learnt_from |= set(further_rows(visits)["subject"])
    among, limit = _among(given, about, mask, seen, affine)
    grids = {"mask": mask, "atlas": np.load(given.atlas), "usual": among.astype(np.float32)}
    save_arrays(folder / GRID, grids)
    write_tsv(folder / REGIONS, read_tsv(given.regions))
    table = _measured(read_tsv(given.detection), about["model"])
    write_tsv(folder / SCORES, table)
    rows = visits[visits["subject"].isin(learnt_from) & (visits["kind"] == "paired")]
    kept = ("system", "model", "label", "preproc", "tracer", "study", "network", "svm", "scores")
    content = {"kind": DETECTOR, **{key: about[key] for key in (*kept, "clusters", "direction")}}
    content |= {
        "space": {**about["space"], "shape": list(mask.shape), "affine": told["affine"]},
        "threshold": limit,
        "folds": folds,
        "learnt": {"volumes": counts, "synthetic": bool(given.synthetic)},
        "trained_on": summary(rows, given.sidecars),
        "like": likeness(rows, pet, mask, given.quality),
        "templates": {name: sha256(path) for name, path in given.templates.items()},
        **run,
    }
    with atomic(folder / CARD) as partial:
        partial.write_text(detector_card(content, table), encoding="utf-8")
    write_manifest(folder, content)


def _mean(pet: np.ndarray, seen: np.ndarray | None, known: pd.DataFrame) -> np.ndarray:
    """Return what fills the gaps of whoever is asked for: the mean of the fold's controls."""
    volumes = [np.asarray(pet[index], np.float32) for index in known["index"]]
    whole = np.ones(volumes[0].shape, bool)
    return mean_of_seen(volumes, [whole if seen is None else seen[i] for i in known["index"]])


def _among(
    given: MadeDetector,
    about: Mapping[str, Any],
    mask: np.ndarray,
    seen: np.ndarray | None,
    affine: np.ndarray,
) -> tuple[np.ndarray, float | None]:
    """Return what is usual among held-out controls, and the threshold that they set."""
    scored = read_tsv(given.scored, dtype=TEXT)
    own = (scored["role"] == "control").to_numpy()
    healthy = scored[own]
    if healthy.empty:
        raise InputError(f"{given.scored}: no control was held out; have more controls with a PET")
    decisions = np.load(given.decisions, mmap_mode="r")[own]
    names = healthy["subject"].tolist()
    sigma, standardise, background = settings_of(about["scores"], affine)
    settings = ClusterSettings.of(about["clusters"])
    among = usual(smoothed(decisions, mask, sigma))
    if settings.threshold != "controls":
        return among, None
    how = mask, sigma, standardise, background, about["direction"]
    maps = left_out_maps(decisions, names, *how)
    brains = [measured(mask, seen, index) for index in healthy["dataset_index"]]
    return among, thresholds(maps, names, brains, settings.quantile)[0]


def _measured(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the detector's rows of the table of detection, and those of chance."""
    methods = {name: name, f"chance_{name}": "chance"}
    rows = table[table["method"].isin(methods)]
    columns = ["dataset", "method", "metric", "unit", "mean", "low", "high", "n"]
    return rows.assign(method=rows["method"].map(methods))[columns].reset_index(drop=True)
