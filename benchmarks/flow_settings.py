"""Train DUAL-GLOW with other settings on a finished run's people; say how sure and how right it is.

    python benchmarks/flow_settings.py results --seed 2 --set training.steps=120
    python benchmarks/flow_settings.py results --seed 2 --untrained --model dual_glow
    python benchmarks/flow_settings.py results --seed 2 --ridge

Every fold is trained with the settings of `dual_glow_side` in config/config.yaml (--model: another
model's), changed by --set, with the people of `dual_glow.validation` held out (--hold). Printed is
a line of JSON a fold and their mean: mean absolute error of held-out visits and that of the mean
PET of all training people; squared deviation of held-out codes from their mean, in units of sigma,
level by level; bits a voxel, and those of a Gaussian of each voxel by itself. --untrained: before
the first step. --ridge trains nothing: it prints the error of ridge regressions of each voxel on
what is told, and on the MRI, which is what a few people tell at most. Choose settings on people of
another seed than those that tables report.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from mri2pet.config.systems import system_models
from mri2pet.datasets.selection import split_validation, synthesis_rows, training_rows
from mri2pet.evaluation.voxelwise import Voxelwise
from mri2pet.files import read_tsv
from mri2pet.models.registry import side_information
from mri2pet.synthesis.temperature import bits_a_voxel
from mri2pet.synthesis.whole_volume import synthesise
from mri2pet.training.data import Pairs, load_pairs
from mri2pet.training.run import finished_generator, prepare, train_recipe
from one_fold import changed

ROOT = Path(__file__).parents[1]
ARRAYS = ("mri", "pet", "mask", "atlas")
TEXT = {"subject": str, "visit": str}
RIDGES = (0.3, 1.0, 2.0, 4.0, 8.0)


def deviations(generator: Any, pairs: Pairs) -> list[float]:
    """Return the mean squared deviation of held-out codes, in units of sigma, level by level."""
    noise = torch.Generator().manual_seed(5)
    levels: list[list[float]] = []
    with torch.no_grad():
        target = pairs.target + torch.rand(pairs.target.shape, generator=noise) / generator.bins
        codes, _ = generator.encode_pet(target, pairs.side)
        given, _ = generator.encode_mri(pairs.source + 0.5 / generator.bins)
        for code, (mean, log_sigma) in zip(codes, generator.prior(given, pairs.side), strict=True):
            levels.append([float(((code - mean) * (-log_sigma).exp()).square().mean())])
    return [round(value, 2) for [value] in levels]


def voxelwise(training: np.ndarray, real: np.ndarray, mask: np.ndarray) -> float:
    """Return the bits a voxel that a Gaussian of each voxel by itself takes, without the MRI."""
    voxels = Voxelwise.of(training, student=False)
    return float(np.mean([voxels.scores(one, mask, 2)["bits per voxel"] for one in real]))


def measure(folder: Path, tables: Any, entry: dict[str, Any], fold: int, about: Any) -> Any:
    """Train one fold; return what it makes of the visits held out."""
    paths = [folder / f"{name}.npy" for name in ARRAYS]
    side = side_information(entry["generator"])
    known = training_rows(*tables, fold)
    rows, _ = split_validation(known, about.hold, about.seed)
    held = synthesis_rows(*tables, fold).query("role == 'test'").reset_index(drop=True)
    pairs, asked = (load_pairs(*paths, each, crop=0, side=side) for each in (rows, held))
    if about.untrained:
        recipe = prepare(entry, pairs, about.model, fold, about.seed).recipe
        recipe.generator.initialise(pairs.source, pairs.target, pairs.side)
    else:
        recipe, _ = train_recipe(entry, pairs, about.model, fold, about.seed)
    generator, mask = finished_generator(recipe), asked.mask.numpy()
    made = synthesise(generator, asked.source[:, 0].numpy(), mask, side=asked.side)
    real, pet = asked.target[:, 0].numpy(), np.load(paths[1], mmap_mode="r")
    mean = pet[known["index"]].mean(axis=0)
    bits = bits_a_voxel(generator, asked.source, asked.target, asked.side)
    return {
        "fold": fold,
        "MAE": float(np.abs(made - real)[:, mask].mean()),
        "mean PET": float(np.abs(mean - real)[:, mask].mean()),
        "z": deviations(generator, asked),
        "bits": float(bits.mean()),
        "voxelwise bits": voxelwise(pet[known["index"]] * mask, real, mask),
    }


def numbers(rows: pd.DataFrame, products: bool) -> np.ndarray:
    """Write diagnosis, age and sex of visits as numbers, with their products or without."""
    groups = pd.get_dummies(pd.Categorical(rows["group"], ["CN", "MCI", "AD"]))
    sexes = pd.get_dummies(pd.Categorical(rows["sex"], ["F", "M"]))
    age = (rows[["age"]].to_numpy(float) - 75) / 10
    told = [groups.to_numpy(float), age, sexes.to_numpy(float)]
    return np.hstack([*told, told[0] * age, told[2] * age] if products else told)


def ridges(folder: Path, tables: Any, folds: int) -> dict[str, float]:
    """Return the mean absolute error of ridge regressions, each with its best weight."""
    mri, pet, gm = (np.load(folder / f"{name}.npy") for name in ("mri", "pet", "gm"))
    mask, errors = np.load(folder / "mask.npy").astype(bool), {}
    for fold in range(folds):
        known = training_rows(*tables, fold)
        held = synthesis_rows(*tables, fold).query("role == 'test'")
        first, second = known["index"].to_numpy(), held["index"].to_numpy()
        mean = pet[first][:, mask].mean(axis=0)
        shown = {
            "told": (numbers(known, False), numbers(held, False)),
            "told, products": (numbers(known, True), numbers(held, True)),
            "MRI": (mri[first][:, mask], mri[second][:, mask]),
            "grey matter": (gm[first][:, mask], gm[second][:, mask]),
        }
        errors.setdefault("mean PET", []).append(np.abs(pet[second][:, mask] - mean).mean(axis=1))
        for name, (x, asked) in shown.items():
            centre = x.mean(axis=0)
            x, asked = x - centre, asked - centre
            gram = x @ x.T
            unit = 1.0 if name.startswith("told") else np.trace(gram) / len(x)
            for ridge in RIDGES:
                inverse = np.linalg.inv(gram + ridge * unit * np.eye(len(x)))
                made = mean + asked @ x.T @ inverse @ (pet[first][:, mask] - mean)
                error = np.abs(pet[second][:, mask] - made).mean(axis=1)
                errors.setdefault(f"{name}, ridge {ridge:g}", []).append(error)
    return {name: round(float(np.concatenate(each).mean()), 5) for name, each in errors.items()}


def main() -> None:
    """Print a line a fold and their mean, or the errors of ridge regressions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="folder of a finished run")
    parser.add_argument("--model", default="dual_glow_side", help="a key of dual_glow.models")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seed", type=int, default=1, help="of weights and of who is held out")
    parser.add_argument("--hold", type=int, default=1, help="people held out of the training folds")
    parser.add_argument("--untrained", action="store_true")
    parser.add_argument("--ridge", action="store_true")
    about = parser.parse_args()
    folder = about.results / "datasets/nonlinear"
    paths = (folder / "visits.tsv", about.results / "datasets/linear/folds.tsv")
    tables = [read_tsv(path, dtype=TEXT) for path in paths]
    folds = int(tables[1]["fold"].max()) + 1
    if about.ridge:
        print(json.dumps(ridges(folder, tables, folds)))
        return
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    entry = changed(system_models(config, "dual_glow")[about.model], about.set)
    found = [measure(folder, tables, entry, fold, about) for fold in range(folds)]
    for each in found:
        print(json.dumps(each))
    means = {key: np.mean([each[key] for each in found], axis=0) for key in found[0]}
    print(json.dumps({key: np.round(value, 5).tolist() for key, value in means.items()}))


if __name__ == "__main__":
    main()
