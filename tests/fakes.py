"""A small made-up run: what stands under results/ before the evaluation begins.

Volumes are noise shaped so that regional means tell AD from CN; the synthetic PET is the real one
plus noise. Nothing here has been through the workflow.
"""

import json
import logging
import runpy
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from mri2pet.files import write_json, write_tsv

MODELS = {"gla_gan": 0.02, "unet": 0.04}  # standard deviation of the synthetic PET's error
N_FOLDS = 3


def atlas(size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Ball-shaped brain cut into 116 Voronoi cells: labels (uint8) and mask."""
    axis = np.linspace(-1, 1, size)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    mask = np.linalg.norm(points, axis=-1) < 0.9
    rng = np.random.default_rng(seed)
    seeds = points[mask][rng.choice(mask.sum(), 116, replace=False)]
    distances = ((points[mask][:, None] - seeds) ** 2).sum(-1)
    labels = np.zeros(mask.shape, dtype=np.uint8)
    labels[mask] = distances.argmin(1) + 1
    return labels, mask


def visits(n_paired: int = 12, n_mri_only: int = 4, second_visits: int = 3) -> pd.DataFrame:
    """Dataset's visits: CN and AD in turn."""
    rows = []
    for number in range(n_paired + n_mri_only):
        kind = "paired" if number < n_paired else "mri_only"
        for visit in ["bl", "m12"][: 2 if number < second_visits else 1]:
            rows.append(
                {
                    "index": len(rows),
                    "subject": f"{number:03d}S{number + 1000:04d}",
                    "visit": visit,
                    "group": ("CN", "AD")[number % 2],
                    "age": 70.0 + number,
                    "sex": "MF"[number // 2 % 2],
                    "kind": kind,
                }
            )
    return pd.DataFrame(rows)


def folds(table: pd.DataFrame, n: int = N_FOLDS) -> pd.DataFrame:
    """A fold a subject, both groups in each."""
    subjects = table.drop_duplicates("subject")[["subject", "group", "kind"]]
    return subjects.assign(fold=[place // 2 % n for place in range(len(subjects))])


def make_run(root: Path, size: int = 16, seed: int = 0) -> pd.DataFrame:
    """Write results/ (dataset, synthesis, histories, cohort) under `root`; return the visits."""
    rng = np.random.default_rng(seed)
    table = visits()
    table_folds = folds(table)
    labels, mask = atlas(size)
    ad = (table["group"] == "AD").to_numpy()[:, None, None, None]
    affected = np.isin(labels, np.arange(30, 60))
    base = 0.3 + 0.4 * (labels % 7) / 7
    shape = (len(table), *mask.shape)
    pet = base - 0.15 * ad * affected + rng.normal(0, 0.02, shape)
    mri = base[::-1] - 0.05 * ad * affected + rng.normal(0, 0.05, shape)
    gm = np.clip(rng.uniform(0.2, 0.8, shape), 0, 1) * mask
    paired = (table["kind"] == "paired").to_numpy()
    dataset = root / "results/datasets/linear"
    dataset.mkdir(parents=True)
    real = np.clip(pet * mask * paired[:, None, None, None], 0, 1).astype(np.float32)
    arrays = {
        "mri": np.clip(mri * mask, 0, 1).astype(np.float32),
        "pet": real,
        "seen": np.ones(shape, bool),
        "gm": gm.astype(np.float32),
        "wm": (mask * (1 - gm) * 0.8).astype(np.float32),
        "csf": (mask * (1 - gm) * 0.2).astype(np.float32),
        "mask": mask,
        "atlas": labels,
    }
    for name, array in arrays.items():
        np.save(dataset / f"{name}.npy", array)
    write_tsv(dataset / "visits.tsv", table)
    write_tsv(dataset / "folds.tsv", table_folds)
    voxel = 180 / size, 218 / size, 180 / size
    affine = np.diag([*voxel, 1.0])
    affine[:3, 3] = [-90, -126, -72]
    write_json(dataset / "dataset.json", {"affine": affine.tolist(), "shape": list(shape)})
    shutil.copytree(dataset, dataset / "learnt")
    for fold in range(N_FOLDS):
        held_out = set(table_folds.loc[table_folds["fold"] == fold, "subject"])
        test = paired & table["subject"].isin(held_out).to_numpy()
        chosen = table[test | ~paired]
        roles = np.where(test[chosen["index"]], "test", "mri_only")
        train_mean = real[paired & ~test].mean(0)
        for model in ("mean_pet", *MODELS):
            folder = root / f"results/gla_gan/synthesis/{model}/fold-{fold}"
            folder.mkdir(parents=True)
            if model == "mean_pet":
                made = np.repeat(train_mean[None], len(chosen), 0)
            else:
                noise = rng.normal(0, MODELS[model], (len(chosen), *mask.shape)) * mask
                made = pet[chosen["index"]] * mask + noise
            np.save(folder / "pet.npy", np.clip(made, 0, 1).astype(np.float32))
            write_tsv(folder / "visits.tsv", chosen.assign(role=roles))
            if model in MODELS:
                write_history(root / f"results/gla_gan/models/{model}/fold-{fold}/history.tsv", rng)
    write_cohort(root, table)
    return table


def planes_of(figure: Any) -> list[list[Any]]:
    """The pictures of each plane that nilearn has drawn, lowest first; black grounds left out."""
    shown = [[each for each in axis.images if each.get_array().ndim == 2] for axis in figure.axes]
    return [each for each in shown if each]


def words_in(figure: Any) -> list[str]:
    """All that is written in a figure."""
    own = [text for axis in figure.axes for text in [*axis.texts, axis.title]]
    return [text.get_text() for text in [*figure.texts, *own] if text.get_text()]


def write_history(path: Path, rng: np.random.Generator, epochs: int = 12) -> None:
    """A training history with two falling losses."""
    epoch = np.arange(1, epochs + 1)
    columns = {
        "epoch": epoch,
        "l1": 0.2 / epoch + rng.normal(0, 0.003, epochs),
        "adversarial": 0.7 + rng.normal(0, 0.05, epochs),
        "seconds": 3.0,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tsv(path, pd.DataFrame(columns))


def write_cohort(root: Path, table: pd.DataFrame) -> None:
    """Cohort and exclusions tables, and the region names."""
    folders = [f"results/simulated/ADNI/{s[:3]}_S_{s[4:]}" for s in table["subject"]]
    cohort = table.drop(columns="index").assign(
        role=None, tracer=None, mri_file=folders, mri_member="1", days_apart=20
    )
    paired = cohort["kind"] == "paired"
    cohort.loc[paired, "tracer"] = "18FFDG"
    for column in ("pet_file", "pet_member"):
        cohort[column] = cohort[column.replace("pet", "mri")].where(paired)
    cohort["lesion_file"] = None
    write_tsv(root / "results/cohort/dementia.tsv", cohort)
    excluded = {
        "subject": ["900S0001"],
        "visit": ["bl"],
        "image_id": ["12345"],
        "modality": ["MRI"],
        "stage": ["bids"],
        "reason": ["slice 37 of 160 is missing in <folder>"],
    }
    write_tsv(root / "results/cohort/excluded_scans.tsv", pd.DataFrame(excluded))
    names = pd.DataFrame({"index": range(1, 117), "name": [f"Region_{n}" for n in range(1, 117)]})
    write_tsv(root / "resources/atlases/aal.tsv", names)


def read_dataset(root: Path) -> dict[str, np.ndarray]:
    """The arrays of the made-up dataset by name, `affine` among them."""
    dataset = root / "results/datasets/linear"
    arrays = {path.stem: np.load(path) for path in dataset.glob("*.npy")}
    arrays["affine"] = np.array(json.loads((dataset / "dataset.json").read_text())["affine"])
    return arrays


class Named(list):
    """Values that have names, as Snakemake's inputs, outputs, parameters and wildcards."""

    def __init__(self, **named: Any) -> None:
        values = [value if isinstance(value, list) else [value] for value in named.values()]
        super().__init__(part for value in values for part in value)
        self.named = named
        self.__dict__.update(named)

    def __getitem__(self, key):
        return self.named[key] if isinstance(key, str) else super().__getitem__(key)

    def items(self):
        return self.named.items()

    def get(self, key: str, default: Any = None) -> Any:
        return self.named.get(key, default)


def run_script(
    script: str, given: dict, made: dict, log: Path, wildcards: dict | None = None, **params: Any
) -> None:
    """Run a script of the workflow as Snakemake does, on files of a test."""
    folder = Path(__file__).parents[1] / "workflow/scripts"
    job = SimpleNamespace(
        rule=script,
        input=Named(**given),
        output=Named(**made),
        params=Named(**params),
        wildcards=Named(**(wildcards or {})),
        log=[str(log)],
        threads=1,
        scriptdir=str(folder),
    )
    root = logging.getLogger()
    before = root.handlers[:], root.level
    runpy.run_path(str(folder / f"{script}.py"), init_globals={"snakemake": job})
    root.handlers[:], root.level = before
