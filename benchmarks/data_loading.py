"""Time an epoch of the project's batches against a DataLoader that reads NIfTI.

    python benchmarks/data_loading.py [--shape 64 64 64] [--people 64] [--workers 0] [--device cpu]

The same volumes in the same order of batches: once from the packed arrays (.npy, memory-mapped,
then held on the device, `training/data.py`), once from a .nii.gz file a scan read by nibabel when
it is asked for, as most published code does. "first epoch" counts what the project pays once,
reading and checking the arrays; "NIfTI, kept" is a loader that keeps what it has read. Files are in
the page cache for all of them. Every batch is compared; the exit status is 1 if any differs.
"""

import argparse
import functools
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from mri2pet.training.data import PairBatches, load_pairs, seed_from
from plain.loaders import NiftiPairs, batches, loader, write_nifti
from speed.cases import simulate
from speed.measure import machine, markdown, synchronise


class KeptPairs(NiftiPairs):
    """Reads every scan once."""

    def __init__(self, files: list[dict[str, Path]]) -> None:
        super().__init__(files)
        self.kept = functools.cache(super().__getitem__)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        """Return what was read."""
        return self.kept(number)


def order_of(packed: PairBatches, seed: int, epoch: int) -> list[list[int]]:
    """Return the rows of each batch of an epoch, as `PairBatches` draws them."""
    generator = torch.Generator().manual_seed(seed_from(seed, epoch))
    rows = torch.randperm(len(packed.volumes["source"]), generator=generator)
    rows = torch.cat([rows, rows])[: len(packed) * packed.size]
    return [list(batch) for batch in rows.view(-1, packed.size).tolist()]


def run(make: Callable[[], Iterable[dict[str, Tensor]]], device: torch.device) -> float:
    """Return the wall seconds in which all batches have come to the device."""
    started = time.perf_counter()
    for batch in make():
        batch["source"], batch["target"]
    synchronise(device)
    return time.perf_counter() - started


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return 1 if a batch differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", type=int, nargs=3, default=(64, 64, 64))
    parser.add_argument("--people", type=int, default=64)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=0, help="of the DataLoader")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args(arguments)
    device, people = torch.device(options.device), options.people
    pairs = simulate(people, tuple(options.shape))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = write_nifti(place, source=pairs.source, target=pairs.target)
        arrays = [place / f"{name}.npy" for name in ("source", "target", "mask", "atlas")]
        for path in arrays:
            value = getattr(pairs, path.stem).numpy()
            np.save(path, value[:, 0] if value.ndim == 5 else value)
        rows = pd.DataFrame({"index": range(people), "subject": "s", "visit": "bl"})

        def pack() -> PairBatches:
            return PairBatches(load_pairs(*arrays, rows), options.batch, 1, device)

        packed, kept = pack(), KeptPairs(files)

        def nifti(epoch: int) -> Iterable[dict[str, Tensor]]:
            order = order_of(packed, 1, epoch)
            return batches(loader(files, order, options.workers, device), device)

        def again(epoch: int) -> Iterable[dict[str, Tensor]]:
            sampler = order_of(packed, 1, epoch)
            return batches(DataLoader(kept, batch_sampler=sampler), device)

        same = all(
            torch.equal(a[name], b[name]) and torch.equal(a[name], c[name])
            for a, b, c in zip(packed.epoch(0), nifti(0), again(0), strict=True)
            for name in ("source", "target")
        )
        ways: dict[str, Callable[[int], Callable[[], Iterable[dict[str, Tensor]]]]] = {
            "NIfTI, DataLoader": lambda epoch: lambda: nifti(epoch),
            "NIfTI, kept": lambda epoch: lambda: again(epoch),
            "packed, first epoch": lambda epoch: lambda: pack().epoch(epoch),
            "packed, every further epoch": lambda epoch: lambda: packed.epoch(epoch),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(options.rounds):
            for name in ways if number % 2 == 0 else reversed(ways):
                seconds[name].append(run(ways[name](number), device))
    volumes = 2 * len(packed) * packed.size
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    slowest = medians["NIfTI, DataLoader"]
    table = [
        {
            "way": name,
            "s an epoch": f"{median:.4g}",
            "volumes/s": f"{volumes / median:.4g}",
            "times faster": f"{slowest / median:.4g}",
        }
        for name, median in medians.items()
    ]
    shape = "x".join(map(str, options.shape))
    print(f"{machine(device)}; {people} people, {shape}, {options.workers} workers\n")
    print(markdown(table))
    print("batches are the same" if same else "batches DIFFER")
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
