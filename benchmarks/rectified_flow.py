"""Train the rectified flow for one fold of a finished run; print errors of its PET and its draws.

    python benchmarks/rectified_flow.py results --fold 0 --euler 3 4 6
    python benchmarks/rectified_flow.py results --set generator.scales=1 --set training.steps=300

The configuration is the default one; --set changes a key of the model's entry, and the model that
it starts from is trained before. A line of JSON for each number of Euler steps, means over held-out
visits, inside the brain. Nothing is written.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from mri2pet.config.systems import system_models
from mri2pet.datasets.selection import synthesis_rows, training_rows
from mri2pet.evaluation.intervals import crps_of_draws
from mri2pet.files import read_tsv
from mri2pet.training.data import load_pairs
from mri2pet.training.run import finished_generator, train_recipe
from one_fold import changed

ROOT = Path(__file__).parents[1]
TEXT = {"subject": str, "visit": str}


def measure(generator: Any, mri: torch.Tensor, pet: np.ndarray, inside: np.ndarray, draws: int):
    """Return errors of one visit (X, Y, Z): of x*, of where the flow leads from it, of draws."""
    with torch.no_grad():
        shown = mri[None, None]
        one = generator(shown)[0, 0].numpy()[inside]
        still = generator.end(generator(shown), generator(shown), shown)
        still = still[0, 0].clamp(0, 1).numpy()[inside]
        noise = torch.Generator().manual_seed(0)
        made = generator.draws(shown, draws, generator=noise)
        drawn = np.stack([each[0, 0].numpy()[inside] for each in made])
    real = pet[inside]
    return {
        "x*": np.abs(one - real).mean(),
        "without noise": np.abs(still - real).mean(),
        "one draw": np.abs(drawn[0] - real).mean(),
        "mean of draws": np.abs(drawn.mean(axis=0) - real).mean(),
        "CRPS": crps_of_draws(drawn, real),
        "CRPS, draws as wide as errors": crps_of_draws(one + scale(one, drawn, real), real),
        "sd of draws": np.sqrt(drawn.var(axis=0, ddof=1).mean()),
        "root mean square error": np.sqrt(np.mean((one - real) ** 2)),
        "sd of the brain's mean": drawn.mean(axis=1).std(ddof=1),
        "error of the brain's mean": abs((one - real).mean()),
    }


def scale(one: np.ndarray, drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Return the draws' differences, made as large as this visit's error: the best to be had."""
    width = np.sqrt(np.mean((one - real) ** 2) / drawn.var(axis=0, ddof=1).mean())
    return width * (drawn - one)


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="folder of a finished run")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--euler", type=int, nargs="+", default=[4], help="steps of synthesis")
    parser.add_argument("--draws", type=int, default=16)
    about = parser.parse_args()
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    models = system_models(config, "gla_gan")
    entry = changed(models["rectified_flow"], about.set)
    folder, crop = about.results / "datasets/linear", config["gla_gan"]["crop"]
    tables = [read_tsv(folder / f"{name}.tsv", dtype=TEXT) for name in ("visits", "folds")]
    paths = [folder / f"{name}.npy" for name in ("mri", "pet", "mask", "atlas")]
    known = training_rows(*tables, about.fold)
    held = synthesis_rows(*tables, about.fold).query("role == 'test'").reset_index(drop=True)
    pairs, asked = (load_pairs(*paths, rows, crop=crop) for rows in (known, held))
    started, spent, where = None, {}, (about.fold, config["seed"])
    for name in [entry["start"]] if entry.get("start") else []:
        began = time.process_time()
        started = train_recipe(models[name], pairs, name, *where)[0].state_dict()
        spent[name] = round(time.process_time() - began, 1)
    began = time.process_time()
    recipe, _ = train_recipe(entry, pairs, "rectified_flow", *where, start=started)
    spent["rectified_flow"] = round(time.process_time() - began, 1)
    generator, inside = finished_generator(recipe), asked.mask.numpy().astype(bool)
    mean = pairs.target[:, 0].numpy().mean(axis=0)
    for steps in about.euler:
        generator.steps = steps
        rows = [
            measure(generator, mri, pet.numpy(), inside, about.draws)
            | {"mean PET": np.abs(mean - pet.numpy())[inside].mean()}
            for mri, pet in zip(asked.source[:, 0], asked.target[:, 0], strict=True)
        ]
        told = {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}
        print(json.dumps({"fold": about.fold, "Euler steps": steps, "visits": len(rows)} | told))
    print(json.dumps({"processor seconds of the trainings": spent}))


if __name__ == "__main__":
    main()
