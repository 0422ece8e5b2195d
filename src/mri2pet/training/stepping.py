"""How the steps of a training run on a device: eagerly, compiled, or as one replayed CUDA graph."""

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from mri2pet.training.recipe import Batch, Recipe
from mri2pet.training.settings import Precision, TrainingSettings

log = logging.getLogger(__name__)

WARM_UP = 3  # steps before a graph is captured: kernels are chosen, optimisers make their state


class Stepper:
    """Takes a recipe's steps the way its settings ask for.

    All ways take the same steps. Networks may run compiled. A CUDA graph holds a whole step
    (losses, gradients, optimisers) and is replayed on further batches after some plain ones, which
    spares the host thousands of launches a step.

    Parameters
    ----------
    recipe
        On its device, its optimisers' state loaded.
    settings
        `compile` and `cuda_graph`.
    precision
        In which the steps are taken.
    """

    def __init__(self, recipe: Recipe, settings: TrainingSettings, precision: Precision) -> None:
        self.recipe, self.precision = recipe, precision
        self.compiling = settings.compile and can_compile(precision.device)
        self.graphing = settings.cuda_graph and _can_graph(precision)
        self.taken = 0
        self.graph: Any = None
        self.static: Batch = {}
        self.losses: dict[str, Tensor] = {}
        self.side = torch.cuda.Stream() if self.graphing else None
        set_up_optimisers(recipe, precision.device, self.graphing)

    def set_rate(self, rate: float) -> None:
        """Give all optimisers their share of a learning rate."""
        for optimiser in self.recipe.optimisers.values():
            for group in optimiser.param_groups:
                if isinstance(group["lr"], Tensor):  # where a graph reads it
                    group["lr"].fill_(rate * group["share"])
                else:
                    group["lr"] = rate * group["share"]

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Train on one batch; the losses hold until the next call."""
        batch = self.recipe.drawn(batch)
        self.taken += 1
        if self.taken == 1:
            self.recipe.begin(self.precision)
            if self.compiling:
                compile_networks(self.recipe)
        if self.graphing and self.taken > WARM_UP:
            if self.graph is None:
                self._capture(batch)
            if self.graph is not None:
                copy_into(self.static, batch)
                self.graph.replay()
                return self.losses
        return self._plain(batch)

    def close(self) -> None:
        """Let networks run plainly again, wherever they go from here."""
        if self.compiling:
            for region in _regions(self.recipe):
                region._compiled_call_impl = None
        self.graph, self.static, self.losses = None, {}, {}

    def _plain(self, batch: Batch) -> dict[str, Tensor]:
        if self.side is None:
            return self.recipe.step(batch, self.precision)
        # Gradients accumulate on the stream of the first step, which a graph cannot be captured on.
        self.side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.side):
            losses = self.recipe.step(batch, self.precision)
        torch.cuda.current_stream().wait_stream(self.side)
        return losses

    def _capture(self, batch: Batch) -> None:
        """Record one step on buffers of the batch's shapes; nothing is computed by that."""
        flags = [(p, p.requires_grad) for p in self.recipe.parameters()]
        self.static, graph = clone(batch), torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self.losses = self.recipe.step(self.static, self.precision)
        except RuntimeError as error:
            log.warning(
                "training.cuda_graph: going on without, a step cannot be captured: %s", error
            )
            for parameter, flag in flags:
                parameter.requires_grad_(flag)
            self.recipe.train()
            self.graphing, self.side = False, None
            return
        self.graph = graph


def can_compile(device: torch.device) -> bool:
    """Tell whether torch.compile has what it needs; if not, a warning says what is missing."""
    if device.type == "cuda":
        found = find_spec("triton") is not None and _program("CC", "gcc", "clang", "cc")
        needed = "triton and a C compiler (gcc; or name it in CC)"
    else:
        found = _program("CXX", "g++", "clang++")
        needed = "a C++ compiler (g++; or name it in CXX)"
    if not found:
        log.warning("training.compile: going on without; it needs %s", needed)
    return bool(found)


def _program(variable: str, *names: str) -> bool:
    chosen = os.environ.get(variable)
    return any(shutil.which(name) for name in ([chosen] if chosen else names))


def compile_networks(recipe: Recipe) -> None:
    """Compile each network of a recipe in place, so that its state and names stay as they are.

    A network with a method `regions` has these compiled one by one: parts of one shape then share
    their code, where the whole would be unrolled.
    """
    for region in _regions(recipe):
        region.compile(dynamic=False)


def _regions(recipe: Recipe) -> Iterator[nn.Module]:
    for network in recipe.children():
        regions = network.regions() if hasattr(network, "regions") else [network]
        yield from (part for part in regions if any(True for _ in part.parameters()))


def set_up_optimisers(recipe: Recipe, device: torch.device, graph: bool) -> None:
    """Choose the optimisers' kernels for a device, also of optimisers that came from another one.

    Adam runs as one fused kernel, AdaMax, which has none, over all parameters at once. In a graph,
    learning rates and step counts must lie on the device.
    """
    for optimiser in recipe.optimisers.values():
        for group in optimiser.param_groups:
            rate = float(group["lr"])
            group["lr"] = torch.tensor(rate, device=device) if graph else rate
            group["capturable"] = graph
            if "fused" in group:
                group["fused"] = device.type in ("cuda", "cpu") or None
            else:
                group["foreach"] = True
            counted = device if graph or group.get("fused") else torch.device("cpu")
            for parameter in group["params"]:
                if state := optimiser.state.get(parameter):
                    state["step"] = state["step"].to(counted)


def clone(batch: Batch) -> dict[str, Any]:
    """Copy the tensors of a batch, those of nested mappings too, in their layout."""
    return {
        name: clone(value) if isinstance(value, Mapping) else value.clone()
        for name, value in batch.items()
    }


def copy_into(static: Batch, batch: Batch) -> None:
    """Copy a batch's values into buffers that `clone` made of another of the same shapes."""
    for name, value in batch.items():
        if isinstance(value, Mapping):
            copy_into(static[name], value)
        else:
            static[name].copy_(value, non_blocking=True)


def _can_graph(precision: Precision) -> bool:
    if precision.device.type != "cuda":
        return False
    if precision.name == "fp16":
        log.warning("training.cuda_graph: going on without; fp16's loss scaling asks the GPU")
        return False
    return True
