"""Time, memory and arithmetic of training steps and other work, side by side."""

import contextlib
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

GIB = 2**30
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def synchronise(device: torch.device) -> None:
    """Wait for what a GPU still has to do."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def clock(device: torch.device) -> float:
    """Return seconds: of the wall where there is a GPU, of the processor on a CPU.

    A CPU may be shared; what others take of it is not counted by its own clock.
    """
    synchronise(device)
    return time.perf_counter() if device.type == "cuda" else time.process_time()


def side_by_side(
    ways: Mapping[str, Callable[[], int]], rounds: int, device: torch.device
) -> dict[str, float]:
    """Run each way once to warm up, then all in turn, so often; return units a second.

    Parameters
    ----------
    ways
        By name; each does its work and returns of how many units it was.
    rounds
        Every other one in reverse order.
    device
        Where the work is done.

    Returns
    -------
    dict
        The median over the rounds, by name.
    """
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for work in ways.values():
        work()
    for number in range(rounds):
        order = list(ways) if number % 2 == 0 else list(reversed(ways))
        for name in order:
            started = clock(device)
            units = ways[name]()
            speeds[name].append(units / max(clock(device) - started, 1e-9))
    return {name: statistics.median(found) for name, found in speeds.items()}


@contextlib.contextmanager
def peak_memory(
    device: torch.device, found: dict[str, float], name: str, weights: int
) -> Iterator[None]:
    """Note in GiB what a first run took at its most beside what was there, plus the weights.

    A first run makes gradients and optimisers' state, so that these are counted. On a CPU it is the
    process that is looked at.

    Parameters
    ----------
    device
        Where the run goes on.
    found
        Gets the number under `name`; NaN where it cannot be told.
    weights
        Bytes of the networks' parameters, which are there before.
    """
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    else:
        with contextlib.suppress(OSError):
            CLEAR.write_text("5")  # Linux forgets the peak so far
    before = torch.cuda.memory_allocated() if cuda else _process("VmRSS")
    yield
    after = torch.cuda.max_memory_allocated() if cuda else _process("VmHWM")
    found[name] = (after - before + weights) / GIB


def _process(field: str) -> float:
    with contextlib.suppress(OSError, StopIteration):
        line = next(x for x in STATUS.read_text().splitlines() if x.startswith(field))
        return int(line.split()[1]) * 1024
    return float("nan")


def flops_of(work: Callable[[], object]) -> int:
    """Count the floating-point operations of products and convolutions, gradients too."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def measured_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Return the FLOP a second of a product of two large random matrices: the chip's peak here."""
    side = 8192 if device.type == "cuda" else 1536
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    best = 0.0
    for _ in range(3):
        torch.mm(a, b)
        started = clock(device)
        for _ in range(10 if device.type == "cuda" else 1):
            torch.mm(a, b)
        seconds = clock(device) - started
        best = max(best, (10 if device.type == "cuda" else 1) * 2 * side**3 / seconds)
    return best


def machine(device: torch.device) -> str:
    """Describe where and with what a benchmark ran."""
    chip = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        chip = next(x.split(":")[1].strip() for x in lines if x.startswith("model name"))
    if device.type == "cuda":
        chip = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}; {chip}"
    threads = torch.get_num_threads()
    load = os.getloadavg()[0]
    return (
        f"{chip}, {os.cpu_count()} processors, {threads} thread(s) of torch {torch.__version__}, "
        f"load {load:.1f}"
    )


def markdown(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows of equal keys as a table."""
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *([str(row[key]) for key in head] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
