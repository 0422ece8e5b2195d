"""Time synthesis part by part against parts in batches; look at the memory that it takes.

    python benchmarks/inference_speed.py [--device cuda] [--size paper] [--batches 1 4 16]

Patches (the IXI GAN), slices (the semi-3D Cycle-GAN) and whole volumes (GLA-GAN) with fresh
weights: one at a time as the first of --batches, then more at once. "gathered" keeps all
patches and adds them up at the end, as published code often does; the project adds them as they
come. Volumes are compared with those of one at a time (limit 1e-4); the exit status is 1 if any
differs by more.
"""

import argparse
import itertools
import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from mri2pet.datasets.parts import patch_starts
from mri2pet.models.registry import build
from mri2pet.synthesis.patches import synthesise_patches
from mri2pet.synthesis.stack_parts import stack_parts
from mri2pet.synthesis.whole_volume import synthesise
from speed.cases import MODELS, Case, make_case
from speed.measure import machine, markdown, peak_memory, side_by_side

LIMIT = 1e-4
NAMES = ("GLA-GAN", "semi-3D Cycle-GAN", "IXI GAN")


@torch.inference_mode()
def gathered(predict: Callable[[Tensor], Tensor], volume: Tensor, size: int, stride: int) -> Tensor:
    """Synthesise (1, X, Y, Z) from patches that are all kept until the last has come."""
    axes = [patch_starts(length, size, stride) for length in volume.shape[1:]]
    places = list(itertools.product(*axes))
    boxes = [(slice(None), *(slice(s, s + size) for s in place)) for place in places]
    made = torch.cat([predict(volume[box][None]) for box in boxes])
    total, counts = torch.zeros_like(volume), torch.zeros_like(volume)
    for patch, box in zip(made, boxes, strict=True):
        total[box] += patch
        counts[box] += 1
    return total / counts


def ways_of(case: Case, network: nn.Module, stride: int, sizes: list[int]) -> dict:
    """Return by name what synthesises a case's first volumes, each once."""
    device = next(network.parameters()).device
    volumes = case.pairs.source.to(device)

    def predict(patches: Tensor) -> Tensor:
        return network(patches.contiguous(memory_format=torch.channels_last_3d))

    def one(batch: int) -> Tensor:
        if case.patch:
            return synthesise_patches(predict, volumes[0], case.patch, stride, batch)
        if case.parts is not None:
            return stack_parts(network, volumes[0, 0], case.parts, batch)
        mri = list(case.pairs.source[:, 0].numpy())
        mask = np.ones(case.pairs.mask.shape, bool)
        return torch.from_numpy(synthesise(network, mri, mask, batch, device))

    ways = {f"{batch} at a time": lambda batch=batch: one(batch) for batch in sizes}
    if case.patch:
        ways["gathered"] = lambda: gathered(predict, volumes[0], case.patch, stride)
    return ways


def counted(work: Callable[[], Tensor], count: int) -> int:
    """Do some work; return of how many volumes it was."""
    work()
    return count


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return 1 if volumes differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--size", choices=("paper", "small"), default="small")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(NAMES))
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--stride", type=int, default=8, help="of the patches")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="of torch, on a CPU")
    options = parser.parse_args(arguments)
    device = torch.device(options.device)
    if options.device == "cpu":
        torch.set_num_threads(options.threads)
    rows, good = [], True
    for name in options.models:
        case = make_case(name, options.size)
        torch.manual_seed(0)
        network = build(case.entry["generator"]).to(device).eval()
        slices = case.parts is not None and case.parts.dimensions == 2
        layout = torch.channels_last if slices else torch.channels_last_3d
        network.to(memory_format=layout)
        ways = ways_of(case, network, options.stride, options.batches)
        count = 1 if case.parts is not None else len(case.pairs.source)
        made, memory = {}, {}
        for way, work in ways.items():
            with peak_memory(device, memory, way, 0):
                made[way] = work()
        first = next(iter(ways))
        speeds = side_by_side(
            {way: partial(counted, work, count) for way, work in ways.items()},
            options.rounds,
            device,
        )
        for way, values in made.items():
            off = float((values - made[first]).abs().max())
            good &= off <= LIMIT
            rows.append(
                {
                    "model": name,
                    "way": way,
                    "volumes/s": f"{speeds[way]:.3g}",
                    "times faster": f"{speeds[way] / speeds[first]:.2f}",
                    "GiB": f"{max(memory[way], 0):.3f}",
                    "largest difference": f"{off:.1e}",
                }
            )
    print(f"{machine(device)}\n")
    print(markdown(rows))
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
