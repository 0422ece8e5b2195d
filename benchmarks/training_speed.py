"""Time training steps of five models against plain versions of them, side by side.

    python benchmarks/training_speed.py --device cuda --size paper [--models GLA-GAN ...]
    python benchmarks/training_speed.py --device cpu --size small

The plain versions (benchmarks/plain/) are what a reader of the papers would write: fp32, eager,
NCDHW, a DataLoader over NIfTI files. Both start from the same weights. First both take the same
steps in fp32 on the same batches, and every loss is compared (limit 1e-3, relative); then the
project takes them in its configured precision (limit 5e-2 for bf16). Then they are timed in turn:
with their own ways to get at the data ("with data"), and on a batch that is there ("step alone").
Seconds are of the wall on CUDA and of the processor on a CPU. FLOPs are those of the plain step,
for both; the peak is that of a product of large matrices, in bf16 on CUDA and fp32 on a CPU. The
exit status is 1 if losses differ by more than the limit.
"""

import argparse
import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mri2pet.training.run import Training, prepare
from mri2pet.training.stepping import Stepper
from plain.loaders import batches as loaded
from plain.loaders import cut, loader, write_nifti
from speed.cases import MODELS, Case, make_case, overlay
from speed.measure import (
    flops_of,
    machine,
    markdown,
    measured_peak,
    peak_memory,
    side_by_side,
)

LIMITS = {"fp32": 1e-3, "bf16": 5e-2, "fp16": 5e-2}
VARIANTS: dict[str, dict[str, Any]] = {
    "as configured": {},
    "compiled": {"training": {"compile": True}},
    "CUDA graph": {"training": {"cuda_graph": True}},
    "compiled, CUDA graph": {"training": {"compile": True, "cuda_graph": True}},
    "grouped paths": {"generator": {"grouped": True}},
    "without checkpointing": {"generator": {"checkpointing": False}},
}
OF_ONE = {"grouped paths": "GLA-GAN", "without checkpointing": "DUAL-GLOW"}
EXACT = {"precision": "fp32", "compile": False, "cuda_graph": False, "tf32": False}


def changed(case: Case, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a case's entry with something changed."""
    return overlay(overlay({}, case.entry), changes)


def project(case: Case, entry: Mapping[str, Any], device: str) -> Training:
    """Set up the project's training as the workflow does."""
    made = prepare(entry, case.pairs, case.name, 0, 1, torch.get_num_threads(), device)
    made.recipe.train().begin(made.precision)
    return made


def plain_twin(case: Case, training: Training) -> Any:
    """Make the plain version with the recipe's present weights."""
    pairs, device = case.pairs, training.precision.device
    mask, atlas = pairs.mask.to(device), pairs.atlas.to(device)
    twin = case.model.plain(case.entry, mask, atlas, len(training.batches))
    for name, network in twin.networks.items():
        copy_state(getattr(training.recipe, name), network)
    return twin


@torch.no_grad()
def copy_state(source: nn.Module, target: nn.Module) -> None:
    """Copy weights and statistics in their order; a count or shape that differs is an error."""
    ours = [v for k, v in source.state_dict().items() if not k.endswith("initialised")]
    for a, b in zip(ours, target.state_dict().values(), strict=True):
        if a.shape != b.shape:
            raise ValueError(f"{tuple(a.shape)} is not {tuple(b.shape)}: the networks differ")
        b.copy_(a)


def endless(training: Training) -> Iterator[Mapping[str, Any]]:
    """Go through the project's epochs."""
    for epoch in itertools.count():
        yield from training.batches.epoch(epoch)


def compare(case: Case, device: str, changes: Mapping[str, Any], steps: int) -> float:
    """Take the same steps with the project and the plain version; return the largest difference.

    Relative, of any loss at any step.
    """
    exact = changed(case, {"training": EXACT})
    start = project(case, exact, device)
    twin = plain_twin(case, start)
    training = project(case, changed(case, changes), device)
    for name in twin.networks:
        getattr(training.recipe, name).load_state_dict(getattr(start.recipe, name).state_dict())
    stepper = Stepper(training.recipe, training.settings, training.precision)
    stepper.set_rate(training.settings.learning_rate)
    found: dict[str, list[dict[str, float]]] = {"plain": [], "project": []}
    for number, batch in enumerate(itertools.islice(endless(training), steps)):
        torch.manual_seed(number)  # noise and the like
        losses = stepper(batch)
        found["project"].append({name: float(value) for name, value in losses.items()})
        torch.manual_seed(number)
        allowed, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, False
        found["plain"].append(twin.step(plain_batch(batch)))
        torch.backends.cudnn.allow_tf32 = allowed
    worst = 0.0
    for one, other in zip(found["project"], found["plain"], strict=True):
        if set(one) != set(other):
            raise ValueError(f"losses differ in name: {sorted(set(one) ^ set(other))}")
        worst = max(worst, *(abs(one[k] - other[k]) / max(abs(other[k]), 1e-6) for k in one))
    return worst


def plain_batch(batch: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return a batch's volumes in the usual layout."""
    return {
        name: batch[name].contiguous() for name in ("source", "target", "mask") if name in batch
    }


def plain_data(case: Case, files: list, workers: int, device: torch.device) -> Callable[[], Any]:
    """Return what makes an endless iterator of the plain version's batches."""
    size, parts = case.entry["training"]["batch_size"], case.parts

    def epochs() -> Iterator[dict[str, Tensor]]:
        while True:
            order = torch.randperm(len(files)).split(size if parts is None else 1)
            made = loaded(loader(files, [rows.tolist() for rows in order], workers, device), device)
            if parts is None:
                yield from made
                continue
            mask, slices = case.pairs.mask.to(device), parts.kind == "slices"
            yield from cut(made, parts.size, size, mask, slices)

    return epochs


def time_case(case: Case, options: argparse.Namespace, folder: Path, peak: float) -> list[dict]:
    """Time a case's variants, each against the plain version; return rows of the table."""
    device = torch.device(options.device)
    files = write_nifti(folder, source=case.pairs.source, target=case.pairs.target)
    rows, workers = [], options.workers
    chosen = [v for v in options.variants if OF_ONE.get(v, case.name) == case.name]
    for variant in chosen:
        training = project(case, changed(case, VARIANTS[variant]), options.device)
        twin = plain_twin(case, training)
        stepper = Stepper(training.recipe, training.settings, training.precision)
        stepper.set_rate(training.settings.learning_rate)
        ours, theirs = endless(training), plain_data(case, files, workers, device)()
        batch = next(ours)
        given = plain_batch(batch)
        works: dict[str, tuple[Callable[[Any], Any], Callable[[], Any]]] = {
            "plain": (twin.step, lambda it=theirs: next(it)),
            "project": (stepper, lambda it=ours: next(it)),
            "plain alone": (twin.step, lambda given=given: given),
            "project alone": (stepper, lambda batch=batch: batch),
        }

        def run(name: str, works: dict = works) -> int:
            step, data = works[name]
            for _ in range(options.steps):
                step(data())
            return options.steps * case.batch_size

        memory: dict[str, float] = {}
        # Warms up, too: compilers and graphs want some steps.
        for name, networks in (("plain", twin.networks.values()), ("project", [training.recipe])):
            weights = sum(4 * p.numel() for network in networks for p in network.parameters())
            with peak_memory(device, memory, name, weights):
                run(name)
        speeds = side_by_side(
            {name: lambda name=name: run(name) for name in works}, options.rounds, device
        )
        alone = speeds["project alone"] / speeds["plain alone"]
        flops = flops_of(lambda twin=twin, given=given: twin.step(given)) / case.batch_size
        rows.append(
            {
                "model": case.name,
                "project": variant,
                "precision": training.precision.name,
                "unit": case.model.unit,
                "plain /s": f"{speeds['plain']:.3g}",
                "project /s": f"{speeds['project']:.3g}",
                "times faster": f"{speeds['project'] / speeds['plain']:.2f}",
                "step alone, times faster": f"{alone:.2f}",
                "plain GiB": f"{memory['plain']:.2f}",
                "project GiB": f"{memory['project']:.2f}",
                "GFLOP a unit": f"{flops / 1e9:.3g}",
                "plain % of peak": f"{100 * flops * speeds['plain alone'] / peak:.1f}",
                "project % of peak": f"{100 * flops * speeds['project alone'] / peak:.1f}",
            }
        )
        print(f"{case.name}, {variant}: done", file=sys.stderr)
    return rows


def check_case(case: Case, options: argparse.Namespace) -> tuple[dict[str, str], bool]:
    """Compare losses in fp32 and as configured; return a row and whether both are within limits."""
    exact = compare(case, options.device, {"training": EXACT}, options.check_steps)
    precision = case.entry["training"].get("precision", "fp32")
    row = {
        "model": case.name,
        "steps": str(options.check_steps),
        "fp32: largest difference": f"{exact:.1e}",
        "limit": f"{LIMITS['fp32']:g}",
        "as configured": "",
        "its limit": "",
    }
    good = exact <= LIMITS["fp32"]
    if options.device == "cuda":
        own = compare(case, options.device, {}, options.check_steps)
        limit = LIMITS[precision] if precision != "fp32" else LIMITS["bf16"]  # TF32
        row |= {"as configured": f"{own:.1e} ({precision})", "its limit": f"{limit:g}"}
        good &= own <= limit
    return row, good


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; return 1 if losses differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--size", choices=("paper", "small"), default="small")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=["as configured"])
    parser.add_argument("--steps", type=int, default=10, help="a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check-steps", type=int, default=5)
    parser.add_argument("--workers", type=int, default=0, help="of the plain DataLoader")
    parser.add_argument("--threads", type=int, default=1, help="of torch, on a CPU")
    parser.add_argument("--only-check", action="store_true")
    options = parser.parse_args(arguments)
    device = torch.device(options.device)
    if options.device == "cpu":
        torch.set_num_threads(options.threads)
    peak = measured_peak(device, torch.bfloat16 if options.device == "cuda" else torch.float32)
    checks, rows, good = [], [], True
    for name in options.models:
        case = make_case(name, options.size)
        row, same = check_case(case, options)
        checks.append(row)
        good &= same
        if not options.only_check:
            with tempfile.TemporaryDirectory() as folder:
                rows += time_case(case, options, Path(folder), peak)
    print(f"{machine(device)}; measured peak {peak / 1e12:.3g} TFLOP/s\n")
    print(markdown(checks))
    if rows:
        print(markdown(rows))
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
