"""The one training loop: epochs, learning rate, history, checkpoints."""

import itertools
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from tqdm import tqdm

from mri2pet.errors import InputError
from mri2pet.training.checkpoint import History, State, load_checkpoint, save_checkpoint
from mri2pet.training.recipe import Recipe
from mri2pet.training.settings import Precision, TrainingSettings
from mri2pet.training.stepping import Stepper

log = logging.getLogger(__name__)


class Batches(Protocol):
    """What the loop draws batches from; an epoch's batches depend on its number alone."""

    def __len__(self) -> int:
        """Batches an epoch."""

    def epoch(self, epoch: int) -> Iterator[Mapping[str, Tensor]]:
        """Yield the batches of one epoch."""


@dataclass(frozen=True)
class Validation:
    """What is measured on people who are not learnt from, and what follows from it.

    Attributes
    ----------
    measure
        From the recipe, in evaluation mode, and the number of the epoch (from 1) to measures by
        name, which become columns of the history.
    key
        The measure that chooses: the recipe ends in the state after its best epoch, the first of
        equals.
    higher_is_better
        Of that measure.
    patience
        Training ends after so many epochs without a better one; 0 goes on to the last.
    """

    measure: Callable[[Recipe, int], Mapping[str, float]]
    key: str
    higher_is_better: bool = True
    patience: int = 0

    def best_epoch(self, history: History) -> int:
        """Return the number of the best epoch; 0 before the first."""
        sign = 1 if self.higher_is_better else -1
        ranked = max(history, key=lambda row: (sign * row[self.key], -row["epoch"]), default=None)
        return int(ranked["epoch"]) if ranked else 0

    def is_over(self, history: History) -> bool:
        """Tell whether patience has run out."""
        return 0 < self.patience <= len(history) - self.best_epoch(history)


def train(
    recipe: Recipe,
    batches: Batches,
    settings: TrainingSettings,
    precision: Precision,
    name: str,
    checkpoint: str | Path | None = None,
    identity: str = "",
    validation: Validation | None = None,
    checkpoint_minutes: float = 0.0,
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
        File written after the first epoch, the last, and those between as `checkpoint_minutes`
        says; None for none.
    identity
        Hash of the run (`checkpoint.identify`).
    validation
        Measured after every epoch; the recipe then ends in the state after the best one.
    checkpoint_minutes
        At least so long between two checkpoints but for the last; 0 writes one after every epoch.

    Returns
    -------
    list of dict
        A row an epoch: `epoch` (from 1), the mean of each loss, what was measured,
        `learning_rate` (at the epoch's end), `steps` (of the generator, in this epoch) and
        `seconds`.

    Raises
    ------
    InputError
        If a loss or measure is no longer finite; the checkpoint is then of an epoch before.
    """
    history: History = []
    best: State | None = None
    if checkpoint is not None:
        history, best = load_checkpoint(checkpoint, identity, recipe, precision.scaler)
    recipe.train()
    stepper = Stepper(recipe, settings, precision)
    steps = len(batches)
    epochs, total = settings.length(steps)
    written = -math.inf  # when the last checkpoint was
    # disable=None: no bar where stderr is not a terminal; the log has a line an epoch anyway.
    with tqdm(total=total, initial=len(history) * steps, desc=name, disable=None) as bar:
        for epoch in range(len(history), epochs):
            if validation is not None and validation.is_over(history):
                log.info("%s: nothing better for %d epochs", name, validation.patience)
                break
            started = time.monotonic()
            sums: dict[str, Tensor] = {}
            here = min(steps, total - epoch * steps)
            for i, batch in enumerate(itertools.islice(batches.epoch(epoch), here)):
                rate = settings.rate((epoch + i / steps) / (total / steps), total / steps)
                stepper.set_rate(rate)
                # Summed on the device: reading a value at each step would wait for the GPU.
                for key, value in stepper(batch).items():
                    sums[key] = sums.get(key, torch.zeros_like(value)) + value
                bar.update()
            losses = {key: float(value) / here for key, value in sums.items()}
            _check_finite(losses, name, epoch + 1)
            if validation is not None:
                measures = dict(validation.measure(recipe.eval(), epoch + 1))
                recipe.train()
                _check_finite(measures, name, epoch + 1, what="measure")
                losses |= measures
            seconds = round(time.monotonic() - started, 3)
            taken = {"learning_rate": rate, "steps": here, "seconds": seconds}
            history.append({"epoch": epoch + 1, **losses, **taken})
            text = ", ".join(f"{key} {value:.4g}" for key, value in losses.items())
            if validation is not None and validation.best_epoch(history) == epoch + 1:
                best = {key: value.clone() for key, value in recipe.state_dict().items()}
            bar.set_postfix_str(text)
            log.info("%s: epoch %d of %d: %s", name, epoch + 1, epochs, text)
            over = epoch + 1 == epochs or (validation and validation.is_over(history))
            due = time.monotonic() - written >= 60 * checkpoint_minutes
            if checkpoint is not None and (due or over):
                save_checkpoint(checkpoint, identity, recipe, precision.scaler, history, best)
                written = time.monotonic()
    stepper.close()
    if validation is not None and best is not None:
        recipe.load_state_dict(best)
        chosen = validation.best_epoch(history)
        value = history[chosen - 1][validation.key]
        log.info("%s: epoch %d is kept, %s %.5g", name, chosen, validation.key, value)
    return history


def _check_finite(values: Mapping[str, float], name: str, epoch: int, what: str = "loss") -> None:
    bad = [key for key, value in values.items() if not math.isfinite(value)]
    if bad:
        raise InputError(
            f"{name}: the {what} {bad[0]} is not finite in epoch {epoch}; try a lower "
            "training.learning_rate, precision fp32 or bf16 instead of fp16, or a smaller weight "
            "of that loss"
        )
