"""Hashes of what trainings and the anomaly detector make; run by test_determinism.py, twice."""

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import torch

from mri2pet.anomaly.encoder import train_encoder
from mri2pet.anomaly.scoring import decision_maps
from mri2pet.training.run import train_recipe

ENCODER = {
    "network": {"name": "siamese", "patch": 5, "features": 8, "filters": [8], "kernels": [3]}
    | {"strides": [1]},
    "similarity": 0.1,
    "pairs": 256,
    "training": {"epochs": 2, "batch_size": 32, "learning_rate": 0.005},
}


def digest(*arrays: np.ndarray) -> str:
    hasher = hashlib.sha256()
    for array in arrays:
        hasher.update(np.ascontiguousarray(array).tobytes())
    return hasher.hexdigest()


def rows(history: list[dict[str, float]]) -> str:
    return json.dumps([{k: v for k, v in row.items() if k != "seconds"} for row in history])


def trained(entry, pairs, name: str) -> dict[str, str]:
    """Return hashes of all weights, of what is synthesised with them, and the losses."""
    entry["training"]["epochs"] = 1
    recipe, history = train_recipe(entry, pairs, name, 0, 1, threads=1, device=DEVICE)
    state = recipe.state_dict()
    made = {"weights": digest(*(state[key].numpy() for key in sorted(state)))}
    if "parts" not in entry:
        with torch.inference_mode():
            made["PET"] = digest(recipe.generator.eval()(pairs.source).numpy())
    return made | {"losses": rows(history)}


DEVICE = os.environ.get("REPEAT_ON", "cpu")


def test_hash_everything(entries, pairs, lobed):
    made = {}
    for name, entry in entries.items():
        given = lobed if name == "lobes" else pairs
        made[name] = trained(entry, dataclasses.replace(given), name)
    rng = np.random.default_rng(0)
    people = rng.random((6, 20, 22, 6), dtype=np.float32)
    mask = np.zeros(people.shape[1:], bool)
    mask[3:-3, 3:-3, 1:-1] = True
    network, history = train_encoder(
        ENCODER, people[:4], mask, "real", 0, 1, threads=1, device=DEVICE
    )
    maps = decision_maps(network, people[:4], people[4:], mask, nu=0.5)
    made["detector"] = {"maps": digest(maps), "losses": rows(history)}
    Path(os.environ["REPEAT_HASHES"]).write_text(json.dumps(made, indent=1))
