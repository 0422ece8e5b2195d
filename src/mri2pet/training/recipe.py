"""What differs between ways of training: networks, optimisers and one step on a batch.

The loop knows nothing else of a model. A new way (flow, autoencoder) is a new recipe: a class in a
file of this folder, which a model's entry names (`recipes`).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from mri2pet.errors import InputError
from mri2pet.training.recipes import plain_weight
from mri2pet.training.settings import Precision, TrainingSettings

if TYPE_CHECKING:
    from mri2pet.training.data import Pairs

# `source` and `target`; of parts `mask`; where the model wants it, `side`; where there are gaps in
# the target, `seen`
Batch = Mapping[str, Any]


class Recipe(nn.Module, ABC):
    """One way of training.

    Everything in `state_dict()` (networks, and buffers such as a pool of images) and in
    `optimisers` goes into checkpoints.

    Attributes
    ----------
    generator
        The network that is kept and synthesises.
    optimisers
        By name; the loop sets their learning rates.
    """

    generator: nn.Module
    optimisers: dict[str, Optimizer]

    def learnt_from(self, pairs: "Pairs") -> "Pairs":
        """Return what batches are made of: the pairs as they are, unless it moves targets."""
        return pairs

    def begin(self, precision: Precision) -> None:
        """Set up what the first step needs; without effect once that is done."""
        del precision

    def go_on_from(self, start: Mapping[str, Tensor]) -> None:
        """Take over the state of the recipe of another model, which training goes on from.

        Raises
        ------
        RuntimeError
            If its networks are others.
        """
        self.load_state_dict(start)

    def drawn(self, batch: Batch) -> Batch:
        """Return a batch with what a step draws on the host, such as places in a pool.

        A step that is recorded once and replayed draws nothing by itself. Called again on what it
        returned, it draws nothing anew.
        """
        return batch

    @abstractmethod
    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Train on one batch; return the losses, detached, by name."""


def adam(networks: Iterable[nn.Module], settings: TrainingSettings, share: float = 1.0) -> Adam:
    """Make one Adam for the parameters of some networks, at a share of the learning rate."""
    if settings.beta2 is None:
        raise InputError("training.beta2: Adam needs a number; null is for the dual_glow recipe")
    parameters = [parameter for network in networks for parameter in network.parameters()]
    group = {"params": parameters, "share": share}
    betas = (settings.beta1, settings.beta2)
    return Adam([group], lr=settings.learning_rate * share, betas=betas)


def as_measured(made: Tensor, real: Tensor | None, batch: Batch) -> Tensor:
    """Return what a network made, and the real volume where the batch's PET is not measured.

    What is not measured so differs from nothing: it adds to no loss and has no gradient.
    """
    seen = batch.get("seen")
    return made if seen is None else torch.where(seen, made, real.to(made.dtype))


def start_at_mean(
    network: nn.Module, volumes: Tensor, mask: Tensor, seen: Tensor | None = None
) -> None:
    """Let a network that can start at the mean intensity of its targets inside the brain.

    Parameters
    ----------
    network
        With or without a method `start_at_mean(mean)`.
    volumes
        Targets (N, 1, X, Y, Z), 0 to 1.
    mask
        (X, Y, Z) bool.
    seen
        (N, 1, X, Y, Z) bool, where the volumes are measured; None: everywhere.
    """
    if hasattr(network, "start_at_mean"):
        inside = volumes[..., mask] if seen is None else volumes[seen & mask]
        mean = float(inside.double().mean())
        network.start_at_mean(min(max(mean, 0.01), 0.99))


def set_start(
    network: nn.Module,
    settings: TrainingSettings,
    sources: Tensor,
    volumes: Tensor,
    mask: Tensor,
    seen: Tensor | None = None,
) -> None:
    """Let a network start where it can: at its targets' mean intensity, or at their mean image.

    Parameters
    ----------
    network
        With or without the methods `start_at_mean(mean)` and `start_at_mean_image(sources,
        volumes)`; the latter does nothing in a network that is not to standardise.
    settings
        `start_at_mean` asks for the former; the latter is the network's own setting.
    sources, volumes
        What the network is shown and is to make, (N, 1, X, Y, Z), 0 to 1.
    mask, seen
        As for `start_at_mean`.
    """
    if settings.start_at_mean:
        start_at_mean(network, volumes, mask, seen)
    if hasattr(network, "start_at_mean_image"):
        network.start_at_mean_image(sources, volumes)


@torch.no_grad()
def recalibrate_batch_norm(recipe: Recipe, batches: Any, precision: Precision) -> None:
    """Replace the generator's batch-norm statistics by their mean over one epoch of batches."""
    layers = [m for m in recipe.generator.modules() if isinstance(m, nn.BatchNorm3d)]
    layers = [layer for layer in layers if all(p.requires_grad for p in layer.parameters())]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain average over the batches
    recipe.generator.train()
    for layer in recipe.generator.modules():
        if isinstance(layer, nn.Dropout):
            layer.eval()  # statistics of what synthesises, which is without
    for batch in batches.epoch(0):
        with precision.autocast():
            recipe.generator(batch["source"])
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def chosen_weights(
    config: Mapping[str, Any], terms: Sequence[str], needed: Sequence[str]
) -> dict[str, float]:
    """Return the weights above zero of a model's `losses`.

    Parameters
    ----------
    config
        The model's entry.
    terms
        Losses that its recipe has.
    needed
        Those that must be named.

    Raises
    ------
    InputError
        For a loss that the recipe does not have, one that it needs and is not named, or one with
        settings.
    """
    losses, recipe = config["losses"], config["recipe"]
    unknown = set(losses) - set(terms)
    if unknown:
        raise InputError(
            f"losses.{min(unknown)}: the {recipe} recipe has no such loss; it has "
            f"{', '.join(terms)}"
        )
    for name in needed:
        if name not in losses:
            raise InputError(f"losses: the {recipe} recipe needs a weight for `{name}`")
    weights = {name: plain_weight(losses, name, recipe) for name in losses}
    return {name: weight for name, weight in weights.items() if weight > 0}


def detached(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the losses without their graphs."""
    return {name: value.detach() for name, value in losses.items()}
