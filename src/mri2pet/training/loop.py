"""The one training loop: epochs, learning rate, history, checkpoints."""

import logging
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from tqdm import tqdm

from mri2pet.errors import InputError
from mri2pet.training.checkpoint import History, load_checkpoint, save_checkpoint
from mri2pet.training.recipe import Recipe
from mri2pet.training.settings import Precision, TrainingSettings

log = logging.getLogger(__name__)


class Batches(Protocol):
    """What the loop draws batches from; an epoch's batches depend on its number alone."""

    def __len__(self) -> int:
        """Batches an epoch."""

    def epoch(self, epoch: int) -> Iterator[Mapping[str, Tensor]]:
        """Yield the batches of one epoch."""


def train(
    recipe: Recipe,
    batches: Batches,
    settings: TrainingSettings,
    precision: Precision,
    name: str,
    checkpoint: str | Path | None = None,
    identity: str = "",
) -> History:
    """Train a recipe, going on from a checkpoint if there is one of the same run.

    Parameters
    ----------
    recipe
        Networks and step; trained in place.
    batches
        Of the training set.
    settings
        Epochs and learning rate.
    precision
        In which the steps are taken.
    name
        Of model and fold, for messages.
    checkpoint
        File written after every epoch; None for none.
    identity
        Hash of the run (`checkpoint.identify`).

    Returns
    -------
    list of dict
        A row an epoch: `epoch` (from 1), the mean of each loss, `learning_rate` (at its end)
        and `seconds`.

    Raises
    ------
    InputError
        If a loss is no longer finite; the checkpoint is then that of the epoch before.
    """
    history: History = []
    if checkpoint is not None:
        history = load_checkpoint(checkpoint, identity, recipe, precision.scaler)
    recipe.train()
    steps = len(batches)
    # disable=None: no bar where stderr is not a terminal; the log has a line an epoch anyway.
    with tqdm(
        total=settings.epochs * steps, initial=len(history) * steps, desc=name, disable=None
    ) as bar:
        for epoch in range(len(history), settings.epochs):
            started = time.monotonic()
            sums: dict[str, Tensor] = {}
            for i, batch in enumerate(batches.epoch(epoch)):
                rate = settings.rate((epoch + i / steps) / settings.epochs)
                for optimiser in recipe.optimisers.values():
                    for group in optimiser.param_groups:
                        group["lr"] = rate * group["share"]
                # Summed on the device: reading a value at each step would wait for the GPU.
                for key, value in recipe.step(batch, precision).items():
                    sums[key] = sums.get(key, torch.zeros_like(value)) + value
                bar.update()
            losses = {key: float(value) / steps for key, value in sums.items()}
            _check_finite(losses, name, epoch + 1)
            seconds = round(time.monotonic() - started, 3)
            history.append(
                {"epoch": epoch + 1, **losses, "learning_rate": rate, "seconds": seconds}
            )
            text = ", ".join(f"{key} {value:.4g}" for key, value in losses.items())
            bar.set_postfix_str(text)
            log.info("%s: epoch %d of %d: %s", name, epoch + 1, settings.epochs, text)
            if checkpoint is not None:
                save_checkpoint(checkpoint, identity, recipe, precision.scaler, history)
    return history


def _check_finite(losses: Mapping[str, float], name: str, epoch: int) -> None:
    bad = [key for key, value in losses.items() if not math.isfinite(value)]
    if bad:
        raise InputError(
            f"{name}: the loss {bad[0]} is not finite in epoch {epoch}; try a lower "
            "training.learning_rate, precision fp32 or bf16 instead of fp16, or a smaller weight "
            "of that loss"
        )
