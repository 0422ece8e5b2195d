"""Chunks of voxels: checks, sizes, work in order with bounded look-ahead, settings put back."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Literal, TypeVar

import numpy as np
import torch

from mri2pet.errors import InputError

Gamma = float | Literal["scale", "median"]
WIDTHS = ("scale", "median")  # that are found at each voxel
FLOATS = (np.float16, np.float32, np.float64)
T = TypeVar("T")


def ahead(
    pool: ThreadPoolExecutor, work: Callable[[slice], T], slices: list[slice], depth: int
) -> Iterator[T]:
    """Map `work` over `slices` in order, with at most `depth` results under way or waiting."""
    waiting: deque[Future[T]] = deque()
    try:
        for where in slices:
            waiting.append(pool.submit(work, where))
            if len(waiting) >= depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def writeable(array: np.ndarray) -> np.ndarray:
    """Return the array, or a copy that torch may hold where it is read-only, as a memmap can be."""
    return array if array.flags.writeable else np.array(array)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Keep torch from splitting operations over threads: chunks run side by side instead."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def full_precision() -> Iterator[None]:
    """Keep float32 products float32 (no TF32 or bfloat16): kernels need their digits."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def voxel_bytes(samples: int, patients: int, width: int, itemsize: int) -> int:
    """Bound the bytes that one voxel takes: kernels, their float64 blocks, features."""
    kernels = samples * (2 * samples + 2 * patients) * itemsize + 4 * samples * samples * 8
    return kernels + 3 * (samples + patients) * width * itemsize + 40 * samples * 8


def check(controls: np.ndarray, patients: np.ndarray, nu: float, gamma: Gamma) -> None:
    """Raise InputError for shapes or settings that no model can be made of."""
    for name, array in (("controls", controls), ("patients", patients)):
        if array.ndim != 3 or array.dtype not in FLOATS:
            raise InputError(
                f"{name} is {array.dtype} of shape {array.shape}; it must hold floating-point "
                "numbers, voxels x samples x features"
            )
    if len(controls) != len(patients) or controls.shape[2] != patients.shape[2]:
        raise InputError(
            f"controls {controls.shape} and patients {patients.shape} do not have the same voxels "
            "and features"
        )
    if not controls.shape[1] or not controls.shape[2]:
        raise InputError(f"controls has the shape {controls.shape}: there is nothing to train on")
    if not 0 < nu < 1:
        raise InputError(f"nu is {nu}; it must lie between 0 and 1, both excluded")
    if gamma not in WIDTHS and (isinstance(gamma, str) or not 0 < gamma < float("inf")):
        raise InputError(f'gamma is {gamma!r}; it must be a positive number, "scale" or "median"')
