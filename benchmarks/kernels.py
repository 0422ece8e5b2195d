"""Time the kernels compiled for the processor against torch's own operations, on one thread.

    python benchmarks/kernels.py [--rounds 15]

Convolutions of few channels, one batch norm with its ReLU and structural similarity, on volumes of
the default run; torch has channels innermost in memory. Milliseconds of the processor, the least of
all rounds.
"""

import argparse
import sys
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from mri2pet.models.native import operations
from mri2pet.models.native.library import kernels
from mri2pet.training.losses import ssim, ssim_maps

SHAPES = [(2, 4, 4, 56), (2, 8, 4, 56), (2, 8, 8, 28), (2, 16, 8, 28)]  # batch, in, out, side
LAST = torch.channels_last_3d


def least(work: Callable[[], object], rounds: int) -> float:
    """Return the least milliseconds of some rounds."""
    found = []
    for _ in range(rounds + 1):
        started = time.process_time()
        work()
        found.append(1e3 * (time.process_time() - started))
    return min(found[1:])


def rows(rounds: int) -> list[tuple[str, float, float]]:
    """Time each operation: its name, torch's milliseconds, the kernel's."""
    found = []
    for batch, before, after, side in SHAPES:
        name = f"{before} to {after} channels, {batch} volumes of {side}^3"
        x = torch.randn(batch, before, side, side, side, requires_grad=True)
        w = torch.randn(after, before, 3, 3, 3, requires_grad=True)
        g = torch.randn(batch, after, side, side, side)
        xl, wl = (t.detach().contiguous(memory_format=LAST).requires_grad_() for t in (x, w))
        gl = g.contiguous(memory_format=LAST)
        ways = (
            lambda a=xl, b=wl: F.conv3d(a, b, padding=1),
            lambda a=x, b=w: operations.convolve(a, b),
        )
        forwards = [least(way, rounds) for way in ways]
        given = ((xl, wl, gl), (x, w, g))
        both = [
            least(lambda way=way, s=s: torch.autograd.grad(way(), s[:2], s[2]), rounds)
            for way, s in zip(ways, given, strict=True)
        ]
        found.append((f"convolution, {name}", *forwards))
        found.append((f"the same with gradients, {name}", *both))
    x = torch.randn(2, 4, 56, 56, 56, requires_grad=True)
    xl = x.detach().contiguous(memory_format=LAST).requires_grad_()
    weight, bias = torch.rand(4, requires_grad=True), torch.randn(4, requires_grad=True)
    g, gl = torch.randn_like(x), torch.randn_like(x).contiguous(memory_format=LAST)

    def plain() -> object:
        y = F.relu(F.batch_norm(xl, None, None, weight, bias, True))
        return torch.autograd.grad(y, (xl, weight, bias), gl)

    def compiled() -> object:
        y = operations.normalise(x, weight, bias, slope=0.0)[0]
        return torch.autograd.grad(y, (x, weight, bias), g)

    times = least(plain, rounds), least(compiled, rounds)
    found.append(("batch norm and ReLU with gradients, 4 channels, 2 volumes of 56^3", *times))
    return [*found, ("structural similarity with gradient, 2 volumes of 56^3", *similarity(rounds))]


def similarity(rounds: int) -> tuple[float, float]:
    """Time structural similarity, by torch's products of matrices and by the kernel."""
    real = torch.rand(2, 1, 56, 56, 56)
    made = (real + 0.1 * torch.randn_like(real)).requires_grad_()

    def plain() -> object:
        return torch.autograd.grad(ssim_maps(made, real)[0].mean(), made)

    def compiled() -> object:
        return torch.autograd.grad(ssim(made, real)[0].mean(), made)

    return least(plain, rounds), least(compiled, rounds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    if kernels() is None:
        sys.exit("no kernels: a C++ compiler is needed, and MRI2PET_NATIVE must not be 0")
    sys.stdout.write(
        "| operation | torch ms | kernel ms | times faster |\n| --- | --- | --- | --- |\n"
    )
    for name, torchs, own in rows(rounds):
        sys.stdout.write(f"| {name} | {torchs:.2f} | {own:.2f} | {torchs / own:.1f} |\n")


if __name__ == "__main__":
    main()
