"""Count what the trainings of each config/paper compute, and estimate their time and disk.

    python benchmarks/paper_cost.py [--teraflops 100]

Each network runs forwards once on torch's meta device, where shapes are worked out and nothing is
computed. A pass backwards is taken for twice a pass forwards; `PASSES` says how many of each a
recipe makes an example. `--teraflops` is what an accelerator is assumed to sustain: no training of
this size was timed. Losses, data and validation are not counted.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ["MRI2PET_NATIVE"] = "0"  # the counter does not know its kernels

import torch
import yaml
from snakemake.utils import update_config
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dual_glow_size import inputs, network, no_autocast
from mri2pet.config.studies import with_raw
from mri2pet.config.systems import SYSTEMS, shown_maps, system_models
from mri2pet.models.registry import build

ROOT = Path(__file__).parents[1]
PEOPLE = {"gla_gan": 402, "dual_glow": 806, "gan_anomaly": 35, "ixi": 250}  # to learn from
SYNTHESISED = {"gla_gan": 581, "dual_glow": 806, "gan_anomaly": 75, "ixi": 105}
PAPERS = tuple(PEOPLE)
GIB = 2**30
# Passes of the generator and of the discriminator for one example, forwards ones as 1, backwards
# ones as 2. Two generators in a cycle make four volumes; a discriminator sees a made one twice.
PASSES = {
    "regression": (3, 0),
    "cvae": (3, 0),
    "rectified_flow": (3, 0),  # of the mean PET and of one velocity
    "gan": (3, 9),
    "conditional_gan": (3, 9),
    "lsgan": (3, 9),
    "half_batch_gan": (3, 9),
    "cycle_gan": (12, 18),
    "dual_glow": (4, 0),  # checkpointing computes all steps twice
}


def paper(system: str) -> dict[str, Any]:
    """Return the configuration of a paper, laid over the default one."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    update_config(config, yaml.safe_load((ROOT / f"config/paper/{system}.yaml").read_text()))
    return with_raw(config, [name for name, known in SYSTEMS.items() if known.raw])


def trained(config: Mapping[str, Any], system: str) -> dict[str, dict[str, Any]]:
    """Return the entries of a system's models that are trained by steps."""
    entries = system_models(config, system)
    return {name: entry for name, entry in entries.items() if "training" in entry}


def folds_of(config: Mapping[str, Any], system: str) -> int:
    """Return how often each model is trained."""
    if SYSTEMS[system].split_once:
        return 1
    return (config[system] if SYSTEMS[system].own_folds else config)["folds"]["n"]


def volume_of(config: Mapping[str, Any], system: str) -> tuple[int, int, int]:
    """Return the voxels of a volume that a system's networks see."""
    block = config[system]
    if system == "gla_gan":
        return (64 - 2 * block["crop"],) * 3
    if system == "dual_glow":
        return tuple(block["grid"])
    if system == "ixi":
        return tuple(block["grid"]["shape"])
    return (157, 189, 156)  # SPM's bounding box at 1 mm


def seen(entry: Mapping[str, Any], volume: tuple[int, ...]) -> tuple[tuple[int, ...], float]:
    """Return the shape that a generator is given, and how many such a volume gives an epoch."""
    parts = entry.get("parts")
    if not parts:
        return (len(shown_maps(entry)), *volume), 1.0
    if parts["kind"] == "slices":
        depth = parts["size"]
        return (depth, *volume[:2]), (volume[2] - depth) / parts["stride"] + 1
    size = parts["size"]
    size = (size,) * 3 if isinstance(size, int) else tuple(size)
    strides = parts["stride"]
    strides = (strides,) * 3 if isinstance(strides, int) else strides
    number = 1.0
    for length, own, stride in zip(volume, size, strides, strict=False):
        number *= (length - own) // stride + 1
    return (1, *size), number


def forwards(model: nn.Module, shape: tuple[int, ...]) -> float:
    """Return the operations of a pass forwards of one example."""
    with torch.device("meta"):
        given = torch.empty(1, *shape)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(given)
    return float(counter.get_total_flops())


def flow_forwards(shape: tuple[int, ...]) -> float:
    """Return the operations of a pass forwards of DUAL-GLOW, from both volumes to the losses."""
    volume, side = inputs(shape)
    with no_autocast(), FlopCounterMode(display=False) as counter, torch.no_grad():
        network(checkpointing=False).losses(volume, volume, side)
    return float(counter.get_total_flops())


def example(entry: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[int, float]:
    """Return the parameters of a model and the operations of one example of a training."""
    generator, discriminator = entry["generator"], entry.get("discriminator")
    make, judge = PASSES[entry["recipe"]]
    if generator["name"] == "dual_glow":
        model = network(checkpointing=False)
        return sum(p.numel() for p in model.parameters()), make * flow_forwards(shape[1:])
    if generator.get("patches") == "lobes":  # its parts are those of the atlas, as large as halves
        generator = {**generator, "patches": 8}
    if generator["name"] == "rectified_flow":  # a draw follows it for more
        generator = {**generator, "steps": 1}
    with torch.device("meta"):
        model = build(generator).train(generator["name"] == "rectified_flow")  # in which it draws
        critic = build(discriminator).eval() if discriminator else None
    total = make * forwards(model, shape)
    if critic is not None:
        first = next(each for each in critic.modules() if hasattr(each, "in_channels"))
        channels = first.in_channels
        total += judge * forwards(critic, (channels, *shape[1:]))
    return sum(p.numel() for p in model.parameters()), total


def main() -> None:
    """Print a row a model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teraflops", type=float, default=100.0, help="sustained a second")
    speed = parser.parse_args().teraflops
    sys.stdout.write(
        "| paper | model | parameters, million | TFLOP an example | examples | hours of all folds "
        "| weights and volumes, GiB |\n|---|---|---|---|---|---|---|\n"
    )
    for system, people in PEOPLE.items():
        config, whole, disk = paper(system), 0.0, 0.0
        folds, volume = folds_of(config, system), volume_of(config, system)
        learnt = people if folds == 1 else people * (folds - 1) / folds
        for name, entry in trained(config, system).items():
            shape, number = seen(entry, volume)
            parameters, flops = example(entry, shape)
            examples = learnt * number * entry["training"]["epochs"] * folds
            hours = examples * flops / speed / 1e12 / 3600
            voxels = torch.Size(volume).numel() * SYNTHESISED[system]
            kept = 4 * (parameters * folds + voxels) / GIB
            whole, disk = whole + hours, disk + kept
            row = [system, name, f"{parameters / 1e6:.2f}", f"{flops / 1e12:.3g}"]
            row += [f"{examples:.3g}", f"{hours:.3g}", f"{kept:.2g}"]
            sys.stdout.write(f"| {' | '.join(row)} |\n")
        sys.stdout.write(f"| {system} | **all** | | | | **{whole:.3g}** | **{disk:.3g}** |\n")


if __name__ == "__main__":
    main()
