"""Train one model for one fold, from a configuration entry to its files."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from mri2pet.files import atomic, write_tsv
from mri2pet.training.checkpoint import History, identify
from mri2pet.training.data import PairBatches, Pairs, seed_from
from mri2pet.training.eager import without_compiler
from mri2pet.training.history import plot_history
from mri2pet.training.loop import train
from mri2pet.training.recipe import recalibrate_batch_norm
from mri2pet.training.recipes import make_recipe
from mri2pet.training.settings import (
    Precision,
    TrainingSettings,
    choose_device,
    make_deterministic,
)

log = logging.getLogger(__name__)


@without_compiler()
def train_model(
    config: Mapping[str, Any],
    pairs: Pairs,
    name: str,
    fold: int,
    seed: int,
    checkpoint: str | Path | None = None,
    threads: int = 1,
    device: str = "auto",
) -> tuple[nn.Module, History]:
    """Train one model for one fold.

    Parameters
    ----------
    config
        The model's entry: `recipe`, `generator`, `losses`, `training` and what its recipe needs.
    pairs
        Training volumes; none of the held-out fold.
    name, fold, seed
        Together they seed weights and shuffling.
    checkpoint
        File to go on from and to write after each epoch.
    threads
        Of torch on the CPU.
    device
        `auto`, `cpu` or `cuda`.

    Returns
    -------
    generator : torch.nn.Module
        On the CPU, in evaluation mode.
    history : list of dict
        A row an epoch (`loop.train`).

    Raises
    ------
    InputError
        For a fault in the entry, or a loss that is not finite.
    """
    make_deterministic(threads)
    settings = TrainingSettings.from_config(config["training"])
    target = choose_device(device)
    precision = Precision(settings.precision, target)
    own_seed = seed_from(seed, name, fold)
    torch.manual_seed(own_seed)
    recipe = make_recipe(config, settings, pairs)
    recipe = recipe.to(target)
    recipe = recipe.to(memory_format=settings.memory_format)
    batches = PairBatches(pairs, settings.batch_size, own_seed, target, settings.memory_format)
    log.info(
        "%s, fold %d: %d pairs, %d parameters, %s, %s",
        *(name, fold, len(pairs.mri), sum(p.numel() for p in recipe.parameters())),
        *(target, precision.name),
    )
    identity = identify(config=dict(config), seed=seed, name=name, fold=fold, data=pairs.digest())
    label = f"{name}, fold {fold}"
    history = train(recipe, batches, settings, precision, label, checkpoint, identity)
    if settings.recalibrate:
        recalibrate_batch_norm(recipe, batches, precision)
    return recipe.generator.cpu().to(memory_format=torch.contiguous_format).eval(), history


def save_training(
    generator: nn.Module,
    history: History,
    title: str,
    weights: str | Path,
    table: str | Path,
    curve: str | Path,
) -> None:
    """Write the generator's state dict, the history table and its picture."""
    write_tsv(table, pd.DataFrame(history))
    plot_history(history, title, curve)
    with atomic(weights) as partial:
        torch.save(generator.state_dict(), partial)
