"""Train one model for one fold, from a configuration entry to its files."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from mri2pet.datasets.parts import Parts
from mri2pet.errors import InputError
from mri2pet.files import atomic, write_tsv
from mri2pet.models.conv import layout_of
from mri2pet.training.checkpoint import History, identify, state_digest
from mri2pet.training.data import PairBatches, Pairs, seed_from
from mri2pet.training.history import plot_history
from mri2pet.training.jitter import Jittered
from mri2pet.training.loop import Batches, Validation, train
from mri2pet.training.mirror import Mirrored
from mri2pet.training.part_batches import PartBatches
from mri2pet.training.recipe import Recipe, recalibrate_batch_norm
from mri2pet.training.recipes import find_closed_form, make_recipe
from mri2pet.training.settings import (
    Precision,
    TrainingSettings,
    choose_device,
    set_up_torch,
)

log = logging.getLogger(__name__)


def train_model(
    config: Mapping[str, Any],
    pairs: Pairs,
    name: str,
    fold: int,
    seed: int,
    checkpoint: str | Path | None = None,
    threads: int = 1,
    device: str = "auto",
    validation: Validation | None = None,
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
        File to go on from and to write (`loop.train`).
    threads
        Of torch on the CPU.
    device
        `auto`, `cpu` or `cuda`.
    validation
        Measured after every epoch; it chooses the epoch that is kept.

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
    recipe, history = train_recipe(
        config, pairs, name, fold, seed, checkpoint, threads, device, validation
    )
    return finished_generator(recipe), history


def finished_generator(recipe: nn.Module) -> nn.Module:
    """Return a trained recipe's generator, as its weights are kept and as it synthesises."""
    return recipe.generator.to(memory_format=torch.contiguous_format).eval()


@dataclass(frozen=True)
class Training:
    """What a training goes on: networks and optimisers on their device, batches, settings.

    `plain` are the batches without jitter.
    """

    recipe: Recipe
    batches: Batches
    plain: Batches
    settings: TrainingSettings
    precision: Precision


def prepare(
    config: Mapping[str, Any],
    pairs: Pairs,
    name: str,
    fold: int,
    seed: int,
    threads: int = 1,
    device: str = "auto",
    start: Mapping[str, Tensor] | None = None,
) -> Training:
    """Make networks and batches of one model and fold; parameters as for `train_recipe`."""
    settings = TrainingSettings.from_config(config["training"])
    target = choose_device(device)
    set_up_torch(settings, target, threads)
    precision = Precision(settings.precision, target)
    own_seed = seed_from(seed, name, fold)
    torch.manual_seed(own_seed)
    recipe = make_recipe(config, settings, pairs)
    pairs = recipe.learnt_from(pairs)
    if start is not None:
        _go_on_from(recipe, start, name)
    recipe = recipe.to(target)
    parts = Parts.of(config)
    layout = torch.contiguous_format
    if settings.channels_last:
        dimensions = 3 if parts is None else parts.dimensions
        layout = layout_of(recipe.generator, target, dimensions)
        for network in recipe.children():
            network.to(memory_format=layout_of(network, target, dimensions))
    given = (pairs, settings.batch_size, own_seed, target, layout)
    plain = PairBatches(*given) if parts is None else PartBatches(*given, parts=parts)
    batches: Batches = plain
    if settings.mirror:
        if parts is not None:
            raise InputError(f"{name}: training.mirror is of whole volumes; it has parts")
        batches = Mirrored(batches, pairs.mask, own_seed)
    if settings.jitter:
        channels = 1 if config["generator"].get("maps") else None
        batches = Jittered(batches, settings.jitter, own_seed, channels)
    return Training(recipe, batches, plain, settings, precision)


def train_recipe(
    config: Mapping[str, Any],
    pairs: Pairs,
    name: str,
    fold: int,
    seed: int,
    checkpoint: str | Path | None = None,
    threads: int = 1,
    device: str = "auto",
    validation: Validation | None = None,
    start: Mapping[str, Tensor] | None = None,
    checkpoint_minutes: float = 0.0,
) -> tuple[Recipe, History]:
    """Train one model for one fold and return all its networks, on the CPU.

    Parameters
    ----------
    config, pairs, name, fold, seed, checkpoint, threads, device, validation
        As for `train_model`.
    start
        State of a recipe to go on from, in place of fresh weights; its optimisers begin anew.
    checkpoint_minutes
        As for `loop.train`.
    """
    made = prepare(config, pairs, name, fold, seed, threads, device, start)
    recipe, batches, settings, precision = made.recipe, made.batches, made.settings, made.precision
    log.info(
        "%s, fold %s: %d pairs, %d parameters, %s, %s",
        *(name, fold, len(pairs.source), sum(p.numel() for p in recipe.parameters())),
        *(precision.device, precision.name),
    )
    identity = identify(config=dict(config), seed=seed, name=name, fold=fold, data=pairs.digest())
    if start is not None:
        identity = identify(run=identity, start=state_digest(start))
    label = f"{name}, fold {fold}"
    history = train(
        *(recipe, batches, settings, precision, label, checkpoint, identity, validation),
        checkpoint_minutes=checkpoint_minutes,
    )
    if settings.recalibrate:
        recalibrate_batch_norm(recipe, made.plain, precision)
    return recipe.cpu(), history


def learn(
    config: Mapping[str, Any],
    load: Callable[[pd.DataFrame], Pairs],
    rows: pd.DataFrame,
    voxel_mm: Sequence[float],
    name: str,
    fold: int,
    threads: int = 1,
    validation: Validation | None = None,
    **steps: Any,
) -> tuple[nn.Module, History]:
    """Train one model for one fold, or solve it where its recipe takes no steps.

    Parameters
    ----------
    config, name, fold, threads, validation
        As for `train_recipe`.
    load
        Reads the pairs of some rows.
    rows
        Visits to learn from, of the dataset's table.
    voxel_mm
        Sides of a voxel in mm.
    steps
        What else `train_recipe` takes; a recipe without steps does not.

    Returns
    -------
    As `train_recipe`; of a recipe without steps what holds the generator, and one row.
    """
    common = {"name": name, "fold": fold, "threads": threads, "validation": validation}
    if (fit := find_closed_form(config["recipe"])) is not None:
        solved: tuple[nn.Module, History] = fit(config, load, rows, voxel_mm, **common)
        return solved
    return train_recipe(config, load(rows), **common, **steps)


def _go_on_from(recipe: Recipe, start: Mapping[str, Tensor], name: str) -> None:
    try:
        recipe.go_on_from(start)
    except RuntimeError as error:
        raise InputError(
            f"{name}: cannot go on from a model of other networks; give both the same generator "
            "and discriminator, or a rectified_flow as `generator.mean` the filters of a unet3d "
            f"({error})"
        ) from error


def save_networks(recipe: nn.Module, path: str | Path) -> None:
    """Write the state of all networks, for a model that goes on from this one."""
    with atomic(path) as partial:
        torch.save(recipe.state_dict(), partial)


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
