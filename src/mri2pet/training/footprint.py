"""Count what a network keeps in memory, without allocating it.

    python -m mri2pet.training.footprint < questions.json

Networks and one step of a training run on torch's meta device, where shapes are worked out and
nothing is computed, while it is noted which tensors are alive. A program of its own, since the
workflow must not load torch to list its jobs (`memory.Footprints` asks it).
"""

import contextlib
import json
import sys
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mri2pet.config.systems import shown_maps
from mri2pet.datasets.parts import Parts
from mri2pet.models.rectified_flow import RectifiedFlow
from mri2pet.models.registry import build
from mri2pet.training.settings import TrainingSettings

FLOAT = 4  # bytes; on a CPU all trainings run in float32
VOLUMES = 4  # at once, at synthesis of whole volumes
# Passes of the generator and of the discriminator whose graphs are alive together. A recipe of
# one's own is taken for the one that needs most.
ALIVE = {
    "regression": (1, 0),
    "cvae": (1, 0),
    "dual_glow": (1, 0),
    "rectified_flow": (1, 0),
    "gan": (1, 2),
    "conditional_gan": (1, 2),
    "half_batch_gan": (1, 1),
    "lsgan": (1, 2),
}
MOST = (6, 4)  # Cycle-GAN's, with its identity term
TWICE = ("cycle_gan",)  # recipes with two networks of each kind


class Alive(TorchDispatchMode):
    """Notes, while it is entered, how many bytes of new tensors are alive at most.

    Parameters
    ----------
    known
        Tensors that are there already, which are not counted.
    """

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.seen = weakref.WeakSet(tensor.untyped_storage() for tensor in known)

    def __torch_dispatch__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: Any = None
    ) -> Any:
        """Run an operation and note what it made."""
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor) and tensor.untyped_storage() not in self.seen:
                storage = tensor.untyped_storage()
                self.seen.add(storage)
                self.now += storage.nbytes()
                self.peak = max(self.peak, self.now)
                weakref.finalize(storage, self._freed, storage.nbytes())
        return result

    def _freed(self, size: int) -> None:
        self.now -= size


def count(entry: Mapping[str, Any], shape: Sequence[int]) -> dict[str, int]:
    """Count one model of the configuration.

    Parameters
    ----------
    entry
        `generator`, and for a training `discriminator`, `recipe`, `training`; `parts`.
    shape
        X, Y, Z of the volumes that it is shown, or that its parts are cut from.

    Returns
    -------
    dict of int
        `generator` and `parameters`: numbers of the generator, and of all networks that are
        trained; `step`: bytes of gradients and of all that is alive beside weights and optimisers
        in one step, at most; `forward`: bytes alive while a batch is synthesised or drawn, at most.
    """
    generator, given = _generator(entry["generator"]), _sample(entry, shape)
    parts = Parts.of(entry)
    together = VOLUMES if parts is None else parts.batch
    counted = {"generator": _size(generator), "forward": _forward(generator, given, together)}
    if "training" not in entry:
        return counted | {"parameters": counted["generator"], "step": 0}
    settings = TrainingSettings.from_config(entry["training"])
    networks = [generator]
    if hasattr(generator, "make_recognition"):
        networks.append(_on_meta(generator.make_recognition))
    if entry.get("discriminator"):
        networks.append(_on_meta(lambda: build(entry["discriminator"])))
    copies = 2 if entry["recipe"] in TWICE else 1
    counted["parameters"] = copies * sum(_size(network) for network in networks)
    passes = ALIVE.get(entry["recipe"], MOST)
    counted["step"] = _step(networks, given, settings.batch_size, passes)
    counted["step"] += (copies - 1) * FLOAT * counted["parameters"] // copies  # gradients of others
    return counted


def _generator(settings: Mapping[str, Any]) -> nn.Module:
    if settings.get("patches") == "lobes":  # their boxes come from an atlas; as many, as large
        settings = {**settings, "patches": 8}
    made = _on_meta(lambda: build(settings))
    for layer in made.modules():
        if hasattr(layer, "_known"):
            layer._known = True  # activation norms count as set: meta tensors hold no answer
    return made


def _on_meta(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return make()


def _size(network: nn.Module) -> int:
    return sum(tensor.numel() for tensor in [*network.parameters(), *network.buffers()])


def _sample(entry: Mapping[str, Any], shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of what a network is shown at a time: channels first."""
    parts = Parts.of(entry)
    if parts is not None:
        return (parts.channels, *parts.sides(shape))
    return (len(shown_maps(entry)), *shape)


def _volumes(number: int, given: Sequence[int]) -> Tensor:
    return torch.empty(number, *given, device="meta")


def _alive(networks: Sequence[nn.Module], run: Callable[[], None]) -> int:
    known = [tensor for each in networks for tensor in [*each.parameters(), *each.buffers()]]
    # Autocast knows no meta device; everything is float32 here.
    plain = mock.patch("torch.autocast", lambda *_, **__: contextlib.nullcontext())
    with plain, Alive(known) as alive:
        run()
    return alive.peak


def _forward(generator: nn.Module, given: Sequence[int], number: int) -> int:
    def run() -> None:
        with torch.no_grad():
            generator(_volumes(number, given))
            if isinstance(generator, RectifiedFlow):  # its one PET is not led along the flow
                next(generator.draws(_volumes(number, given), 1))

    return _alive([generator.eval()], run)


def _step(
    networks: Sequence[nn.Module], given: Sequence[int], number: int, passes: tuple[int, int]
) -> int:
    generator, *others = networks

    def made(volumes: Tensor) -> Tensor:
        if hasattr(generator, "losses"):  # a flow, whose losses are its own
            settings, side = generator.side, {}
            for name in settings.sizes if settings else ():
                kind = torch.float32 if name == "age" else torch.long
                side[name] = torch.empty(number, dtype=kind, device="meta")
            return sum(generator.losses(volumes, volumes, side or None).values())
        if hasattr(generator, "matching"):  # a mean, and a flow that takes no gradient to it
            mean = generator.mean(volumes)
            return mean + generator.matching(volumes, volumes, mean.detach())[0]
        if hasattr(generator, "make_recognition"):
            code, _ = others[0](volumes, volumes)
            return generator.reconstruct(volumes, code)[0]
        return generator(volumes)

    def run() -> None:
        volumes = _volumes(number, given)
        results = [made(volumes) for _ in range(passes[0])]
        if passes[1] and others:
            first = next(each for each in others[-1].modules() if hasattr(each, "in_channels"))
            times = first.in_channels // given[0]  # twice, where it sees the MRI too
            shown = [results[0]] * times
            results += [others[-1](torch.cat(shown, dim=1)) for _ in range(passes[1])]
        sum(result.float().sum() for result in results).backward()

    for network in networks:
        network.train()
    return _alive(networks, run)


def main() -> None:
    """Answer questions `[[entry, shape], ...]` of standard input on standard output."""
    answers = []
    for entry, shape in json.load(sys.stdin):
        try:
            answers.append(count(entry, shape))
        except Exception as error:  # a network of one's own may compute what no meta device can
            answers.append({"error": f"{type(error).__name__}: {error}"})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
