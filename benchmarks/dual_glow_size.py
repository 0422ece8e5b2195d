"""Count parameters, memory and arithmetic of DUAL-GLOW at paper size, without allocating it.

    python benchmarks/dual_glow_size.py [--paper dual_glow_code]

The network with side information of config/paper/dual_glow.yaml, or of another file there, lives on
torch's meta device, where shapes are worked out and nothing is computed. Memory kept for backward:
the storages that autograd saves in one step on one pair, in float32. Prints a table.
"""

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import torch
import yaml
from snakemake.utils import update_config
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mri2pet.config.systems import system_models
from mri2pet.models.dual_glow import DualGlow, objective

ROOT = Path(__file__).parents[1]
GIB = 2**30


def network(checkpointing: bool, paper: str = "dual_glow") -> DualGlow:
    """Make the conditional model of a configuration of config/paper on the meta device."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    update_config(config, yaml.safe_load((ROOT / f"config/paper/{paper}.yaml").read_text()))
    settings = dict(system_models(config, "dual_glow")["dual_glow_side"]["generator"])
    settings |= {"checkpointing": checkpointing}
    settings.pop("name")
    with torch.device("meta"):
        made = DualGlow(**settings)
    for layer in made.modules():
        if hasattr(layer, "_known"):
            layer._known = True  # the activation norms are set: meta tensors hold no answer
    return made


def inputs(shape: tuple[int, ...]) -> tuple[Tensor, dict[str, Tensor]]:
    """Make one volume and the side information of one person."""
    with torch.device("meta"):
        index = torch.empty(1, dtype=torch.long)
        return torch.empty(1, 1, *shape), {"age": torch.empty(1), "sex": index, "diagnosis": index}


def kept(model: nn.Module, shape: tuple[int, ...]) -> int:
    """Bytes that autograd keeps for the backward pass of one step, weights not counted."""
    own = {p.untyped_storage()._cdata for p in [*model.parameters(), *model.buffers()]}
    saved: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        if (key := tensor.untyped_storage()._cdata) not in own:
            saved[key] = tensor
        return tensor

    volume, side = inputs(shape)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        total = objective(model.losses(volume, volume, side))
    assert total.requires_grad
    return sum(tensor.untyped_storage().nbytes() for tensor in saved.values())


@contextlib.contextmanager
def no_autocast() -> Iterator[None]:
    """Autocast knows no meta device; everything is float32 here."""
    with mock.patch("torch.autocast", lambda *_, **__: contextlib.nullcontext()):
        yield


def main() -> None:
    """Print a row a volume shape."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paper", default="dual_glow", help="a file of config/paper")
    paper = parser.parse_args().paper
    sys.stdout.write(
        "| volume | parameters, million | with gradients and moments, GiB | kept, GiB "
        "| kept with checkpointing, GiB | forward and backward, TFLOP |\n"
        "|---|---|---|---|---|---|\n"
    )
    with no_autocast():
        plain, checkpointed = network(False, paper), network(True, paper)
        parameters = sum(p.numel() for p in plain.parameters())
        for shape in ((64, 96, 64), (48, 64, 48)):
            volume, side = inputs(shape)
            with FlopCounterMode(display=False) as counter:
                objective(plain.losses(volume, volume, side)).backward()
            row = [
                "x".join(map(str, shape)),
                f"{parameters / 1e6:.1f}",
                f"{4 * 4 * parameters / GIB:.1f}",
                f"{kept(plain, shape) / GIB:.2f}",
                f"{kept(checkpointed, shape) / GIB:.2f}",
                f"{counter.get_total_flops() / 1e12:.1f}",
            ]
            sys.stdout.write(f"| {' | '.join(row)} |\n")


if __name__ == "__main__":
    main()
