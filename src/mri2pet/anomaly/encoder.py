"""Training one encoder of patches: settings to network and history."""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mri2pet.training.checkpoint import History, identify
from mri2pet.training.data import seed_from
from mri2pet.training.loop import train
from mri2pet.training.settings import (
    Precision,
    TrainingSettings,
    choose_device,
    make_deterministic,
)
from mri2pet.training.siamese_recipe import PatchPairs, Siamese

if TYPE_CHECKING:
    from mri2pet.models.siamese import PatchAutoencoder

log = logging.getLogger(__name__)


def train_encoder(
    config: Mapping[str, Any],
    volumes: np.ndarray,
    mask: np.ndarray,
    name: str,
    fold: int,
    seed: int,
    checkpoint: str | Path | None = None,
    threads: int = 1,
    device: str = "auto",
) -> "tuple[PatchAutoencoder, History]":
    """Train the siamese autoencoder of one detector and fold.

    Parameters
    ----------
    config
        The block `gan_anomaly.detector.encoder`: `network`, `similarity`, `pairs` an epoch and
        `training`.
    volumes
        (N, X, Y, Z) float32, 0 to 1: PET of controls, none of the held-out fold.
    mask
        (X, Y, Z) bool, the brain.
    name, fold, seed
        Together they seed weights and pairs.
    checkpoint
        File to go on from and to write after each epoch.
    threads, device
        As `training.run.train_model`.

    Returns
    -------
    network, history
        On the CPU, in evaluation mode; a row an epoch.
    """
    make_deterministic(threads)
    settings = TrainingSettings.from_config(config["training"])
    target = choose_device(device)
    precision = Precision(settings.precision, target)
    own_seed = seed_from(seed, "detector", name, fold)
    torch.manual_seed(own_seed)
    recipe = Siamese(config, settings).to(target)
    inside = volumes[:, mask]
    recipe.generator.use_range(float(inside.mean()), float(inside.std()))
    recipe = recipe.to(memory_format=torch.channels_last)
    pairs, batch = config["pairs"], settings.batch_size
    batches = PatchPairs(volumes, mask, recipe.generator.patch, pairs, batch, own_seed, target)
    log.info("%s, fold %d: %d people, %s", name, fold, len(volumes), target)
    data = hashlib.sha256(np.ascontiguousarray(volumes)).hexdigest()
    identity = identify(config=dict(config), seed=own_seed, data=data, mask=int(mask.sum()))
    label = f"{name}, fold {fold}"
    history = train(recipe, batches, settings, precision, label, checkpoint, identity)
    return recipe.generator.cpu().eval(), history
