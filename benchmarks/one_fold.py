"""Train one model for one fold of a finished run with changed settings; print its held-out MAE.

    python benchmarks/one_fold.py results unet --fold 2 --set training.start_at_mean=false
    python benchmarks/one_fold.py results ucgan --system dual_glow --set training.jitter=0.1

The configuration is the default one; --set changes a key of the model's entry. Nothing is written.
"""

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch._dynamo  # noqa: F401 - which the first optimiser imports: no part of a training
import yaml

from mri2pet.config.systems import SPACES, SYSTEMS, shown_maps, system_models
from mri2pet.datasets.selection import synthesis_rows, training_rows
from mri2pet.datasets.volumes import Volumes
from mri2pet.evaluation.differences import correlation_of_differences
from mri2pet.files import read_json, read_tsv
from mri2pet.synthesis.smoothing import voxel_size
from mri2pet.synthesis.whole_volume import synthesise
from mri2pet.synthesis.write import affine_of
from mri2pet.training.data import load_pairs
from mri2pet.training.run import finished_generator, learn

ROOT = Path(__file__).parents[1]


def changed(entry: dict, changes: list[str]) -> dict:
    """Lay `a.b=value` over a nested dictionary."""
    for change in changes:
        path, _, value = change.partition("=")
        *folders, key = path.split(".")
        place = entry
        for folder in folders:
            place = place.setdefault(folder, {})
        place[key] = yaml.safe_load(value)
    return entry


def main() -> None:
    """Train and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="folder of a finished run")
    parser.add_argument("model", help="a key of gla_gan.models in config/config.yaml")
    parser.add_argument("--system", choices=["gla_gan", "dual_glow"], default="gla_gan")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--crop", type=int, help="instead of the system's crop")
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    block = config[chosen.system]
    changed(block["models"][chosen.model], chosen.set)
    entry = system_models(config, chosen.system)[chosen.model]
    entry.pop("label")
    crop = block["crop"] if chosen.crop is None else chosen.crop
    space = SYSTEMS[chosen.system].space
    data = chosen.results / "datasets" / space
    dealt = chosen.results / "datasets" / (SPACES[space].after or space)
    tables = [
        read_tsv(path, dtype={"subject": str})
        for path in (data / "visits.tsv", dealt / "folds.tsv")
    ]
    rows = training_rows(*tables, chosen.fold)
    held_out = synthesis_rows(*tables, chosen.fold).query("role == 'test'")["index"].to_list()
    shown = [data / f"{name}.npy" for name in shown_maps(entry)]
    paths = [data / f"{name}.npy" for name in ("pet", "mask", "atlas")]
    pet, mask = (np.load(path, mmap_mode="r") for path in paths[:2])
    voxel = voxel_size(affine_of(read_json(data / "dataset.json"), 0))
    started = time.process_time()
    recipe, history = learn(
        *(entry, partial(load_pairs, shown, *paths, crop=crop), rows, voxel),
        name=chosen.model,
        fold=chosen.fold,
        seed=config["seed"],
        threads=chosen.threads,
    )
    seconds = time.process_time() - started
    generator = finished_generator(recipe)
    made = synthesise(generator, Volumes(shown, held_out), np.asarray(mask), crop=crop)
    mean = pet[rows["index"].to_list()].mean(axis=0)
    errors = [np.abs(a - pet[i])[mask].mean() for a, i in zip(made, held_out, strict=True)]
    volumes = zip(made, held_out, strict=True)
    alike = [correlation_of_differences(pet[i], a, np.asarray(mask), mean) for a, i in volumes]
    of_mean = [np.abs(mean - pet[i])[mask].mean() for i in held_out]
    result = {
        "model": chosen.model,
        "fold": chosen.fold,
        "changes": chosen.set,
        "MAE": round(float(np.mean(errors)), 4),
        "mean PET's MAE": round(float(np.mean(of_mean)), 4),
        "correlation of differences": round(float(np.mean(alike)), 3),
        "processor seconds": round(seconds, 1),
        "last epoch": {key: round(float(value), 4) for key, value in history[-1].items()},
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
