"""Train DUAL-GLOW with other side information on a finished run's people; say what it shows.

    python benchmarks/side_information.py results --seed 2 --set generator.side.products=0
    python benchmarks/side_information.py results --people 12 24 36 72

Every fold is trained with the settings of `dual_glow_side` in config/config.yaml (--model: another
model's), changed by --set. Printed is one line of JSON: the mean absolute error of held-out visits,
and how what the PET shows, told other ages and diagnoses, goes with what would be there
(`results/dual_glow/tables/counterfactual.tsv`). The run's people must be simulated; choose settings
on people of another seed than those that tables report. --people trains nothing: of 100 cohorts of
each size it prints how the least-squares slopes of their regional uptake on age, an intercept a
diagnosis, correlate with the true ones: what people of that number can tell. Nothing is written.
"""

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from mri2pet.config.systems import system_models
from mri2pet.datasets.selection import synthesis_rows, training_rows
from mri2pet.evaluation.counterfactual import counterfactual_table, true_values
from mri2pet.evaluation.regions import SET_AGE, SET_DIAGNOSIS, region_values
from mri2pet.files import read_json, read_tsv
from mri2pet.models.registry import side_information
from mri2pet.simulation.anatomy import expected_uptake, regional_uptake
from mri2pet.simulation.counterfactual import Mixing, anatomy_of, mixing
from mri2pet.simulation.people import plan_people
from mri2pet.simulation.template import load_template
from mri2pet.simulation.uptake import regions, variation
from mri2pet.synthesis.smoothing import voxel_size
from mri2pet.synthesis.whole_volume import synthesise
from mri2pet.synthesis.write import affine_of
from mri2pet.training.data import load_pairs
from mri2pet.training.run import finished_generator, learn
from one_fold import changed

ROOT = Path(__file__).parents[1]
COHORTS = 100
TEXT = {"subject": str, "visit": str}
VULNERABILITY_SD, STREAM = 0.3, 99  # as in `anatomy.make_head`, from random numbers of its own


class Run:
    """The dataset, the people and the truth of a finished run."""

    def __init__(self, results: Path, config: dict[str, Any]) -> None:
        self.folder = results / "datasets/nonlinear"
        self.visits = read_tsv(self.folder / "visits.tsv", dtype=TEXT)
        self.folds = read_tsv(results / "datasets/linear/folds.tsv", dtype=TEXT)
        self.mri, self.pet = (
            np.load(self.folder / f"{name}.npy", mmap_mode="r") for name in ("mri", "pet")
        )
        self.mask, self.atlas = (np.load(self.folder / f"{n}.npy") for n in ("mask", "atlas"))
        self.affine = affine_of(read_json(self.folder / "dataset.json"), 0)
        self.template = load_template(results / "simulated/template")
        self.names = list(self.template.names)
        self.truths = {}
        for path in (results / "simulated/truth").rglob("truth.json"):
            values = read_json(path)
            self.truths[values["ptid"].replace("_", ""), values["visit"]] = values
        self.config = config

    def mixing(self) -> Mixing:
        """Return how the scanner and the atlas mix the uptake of regions."""
        scale = self.config["preproc"]
        about = (self.atlas, self.mask, np.asarray(self.affine), len(self.names))
        return mixing(self.template, *about, scale["pet_reference"], scale["pet_ceiling"])


def train(run: Run, entry: dict[str, Any], model: str, fold: int, seed: int) -> Any:
    """Train one fold; return the generator and the ages of its training people."""
    rows = training_rows(run.visits, run.folds, fold)
    paths = [run.folder / f"{name}.npy" for name in ("pet", "mask", "atlas")]
    more = {"side": side_information(entry["generator"]), "seen": run.folder / "seen.npy"}
    load = partial(load_pairs, [run.folder / "mri.npy"], *paths, crop=0, **more)
    about = {"name": model, "fold": fold, "seed": seed, "threads": 1}
    recipe, _ = learn(entry, load, rows, voxel_size(run.affine), **about)
    return finished_generator(recipe), rows["age"]


def measure(run: Run, entry: dict[str, Any], model: str, seed: int) -> dict[str, Any]:
    """Train all folds; return the error and what the model shows when it is told something."""
    side = side_information(entry["generator"])
    ages, groups = run.config["dual_glow"]["synthesis"]["ages"], []
    errors, shown, true = [], [], []
    mixed = run.mixing()
    for fold in sorted(run.folds["fold"].unique()):
        held = synthesis_rows(run.visits, run.folds, fold).query("role == 'test'")
        held = held.reset_index(drop=True)
        generator, learnt = train(run, entry, model, int(fold), seed)
        brains = [run.mri[i] for i in held["index"]]
        make = partial(synthesise, generator, brains, run.mask)
        made = make(side=side.tensors(held) if side else None)
        pairs = zip(made, held["index"], strict=True)
        errors += [np.abs(pet - run.pet[i])[run.mask].mean() for pet, i in pairs]
        if side is None:
            continue
        groups = [side.groups[0], side.groups[-1]]
        told = [(SET_AGE, held.assign(age=float(age))) for age in ages]
        told += [(SET_DIAGNOSIS, held.assign(group=group)) for group in groups]
        for curve, rows in told:
            where = (run.mask, run.atlas, run.names, model, curve, int(fold))
            means = region_values(rows, make(side=side.tensors(rows)), *where)
            outside = ~means["age"].between(learnt.min(), learnt.max())
            shown.append(means.assign(outside=outside & (curve == SET_AGE)))
        for row in held.itertuples():
            anatomy = anatomy_of(run.truths[row.subject, row.visit])
            true.append(true_values(row, anatomy, mixed, run.names, ages, groups))
    result = {"MAE": round(float(np.mean(errors)), 5)}
    if shown:
        table = counterfactual_table(pd.concat(shown), pd.concat(true))
        result |= {row.metric: round(row.mean, 3) for row in table.itertuples()}
    return result


def what_people_tell(run: Run, count: int) -> list[float]:
    """Return, of many cohorts, the correlation of slopes by least squares with the true ones."""
    table, mixed, found = regions(run.names), run.mixing(), []
    groups = run.config["studies"]["dementia"]["simulation"]["groups"]
    for seed in range(1000, 1000 + COHORTS):
        plan = {"paired": count, "mri_only": 0, "second_visits": 0, "groups": groups}
        people = plan_people(plan, seed)
        design = np.array([[p.age / 10, *(p.group == group for group in groups)] for p in people])
        values, changes = [], []
        for person in people:
            rng = np.random.default_rng([seed, person.number, STREAM])
            disease = variation(rng, table.names, VULNERABILITY_SD)
            about = (person.severity, disease)
            values.append(mixed.values(regional_uptake(person, table, person.age, *about)))
            at = [mixed.values(expected_uptake(table, age, *about)) for age in (70, 80)]
            changes.append(at[1] - at[0])
        slopes = np.linalg.lstsq(design.astype(float), np.array(values), rcond=None)[0][0]
        found.append(float(np.corrcoef(slopes, np.mean(changes, axis=0))[0, 1]))
    return found


def main() -> None:
    """Print one line of JSON, or one a number of people."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="folder of a finished run")
    parser.add_argument("--model", default="dual_glow_side", help="a key of dual_glow.models")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seed", type=int, default=2, help="of the training's random numbers")
    parser.add_argument("--people", type=int, nargs="+", default=[])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    run = Run(chosen.results, config)
    for count in chosen.people:
        found = np.array(what_people_tell(run, count))
        result = {"people": count, "median": round(float(np.median(found)), 2)}
        result["share that reaches .6"] = float((found >= 0.6).mean())
        sys.stdout.write(json.dumps(result) + "\n")
    if not chosen.people:
        entry = changed(system_models(config, "dual_glow")[chosen.model], chosen.set)
        result = {"changes": chosen.set, "seed": chosen.seed}
        result |= measure(run, entry, chosen.model, chosen.seed)
        sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
