"""One RBF one-class SVM a voxel, for millions of voxels: scikit-learn's decision values in batches.

Every voxel has its own model of the controls' feature vectors there, and scores the patients'
vectors (Alaverdyan et al., Medical Image Analysis 60, 2020). `sklearn.svm.OneClassSVM` in a loop is
the reference. On a CPU a compiled kernel does one voxel after the other in float32, see
`mri2pet.anomaly.compiled`. Elsewhere, and without a compiler, the kernel matrices of a chunk of
voxels are built and solved together with torch, see `mri2pet.anomaly.dual`.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mri2pet.anomaly import compiled, optimality
from mri2pet.anomaly.chunks import (
    Gamma,
    ahead,
    check,
    full_precision,
    one_thread_each,
    voxel_bytes,
    writeable,
)
from mri2pet.anomaly.kernels import block_size
from mri2pet.anomaly.solve_chunk import Scores, Settings, score_chunk
from mri2pet.errors import InputError

CPU_CHUNK = 1024  # enough voxels to hide what starting an operation costs
CPU_NUMBERS = 10**7  # features of a chunk where few samples leave room for more voxels


def fit_score(
    controls: np.ndarray,
    patients: np.ndarray,
    *,
    nu: float,
    gamma: Gamma = "scale",
    device: str | torch.device = "cpu",
    memory: int = 2**30,
    dtype: Literal["float32", "float64"] = "float32",
    training: bool = False,
    out: np.ndarray | None = None,
) -> Scores:
    """Train a one-class SVM at every voxel on the controls and score the patients there.

    Parameters
    ----------
    controls
        (V, n, d) features of n controls; any float type, may be a `np.memmap`: read by chunks.
    patients
        (V, m, d).
    nu
        Bound on the part of the controls left outside, between 0 and 1.
    gamma
        Width of exp(-gamma |x - y|^2); "scale": 1 / (d var(controls)) at each voxel; or "median":
        1 / (2 median squared distance of two controls) there.
    device
        Where to compute. On the CPU, one thread for each of `torch.get_num_threads()`.
    memory
        Bytes of working memory on the device; a chunk of voxels is as large as they allow.
    dtype
        Precision: decision values differ from the exact ones by about 1e-5, or 1e-9.
    training
        Whether to return the controls' own decision values too.
    out
        (V, m) array for the patients' values, for instance a `np.memmap` to write.

    Returns
    -------
    Scores
        As `OneClassSVM(nu=nu, gamma=gamma).fit(controls[v]).decision_function(patients[v])`.

    Raises
    ------
    InputError
        Shapes that do not fit, settings out of range, too little memory for a voxel, or features
        that are not finite numbers (the voxel is named).
    """
    chunks = score_chunks(
        controls,
        patients,
        nu=nu,
        gamma=gamma,
        device=device,
        memory=memory,
        dtype=dtype,
        training=training,
    )
    voxels, samples = patients.shape[:2]
    if out is None:
        out = np.empty((voxels, samples), np.float32)
    elif out.shape != (voxels, samples):
        raise InputError(f"out has the shape {out.shape}, not {(voxels, samples)}")
    own = np.empty(controls.shape[:2], np.float32) if training else None
    rescued = 0
    for where, scores in chunks:
        out[where] = scores.patients
        rescued += scores.rescued
        if own is not None:
            own[where] = scores.controls
    return Scores(out, own, rescued)


def score_chunks(
    controls: np.ndarray,
    patients: np.ndarray,
    *,
    nu: float,
    gamma: Gamma = "scale",
    device: str | torch.device = "cpu",
    memory: int = 2**30,
    dtype: Literal["float32", "float64"] = "float32",
    training: bool = False,
) -> Iterator[tuple[slice, Scores]]:
    """Do what `fit_score` does, chunk by chunk in order: yields which voxels, and their scores."""
    check(controls, patients, nu, gamma)
    if dtype not in ("float32", "float64"):
        raise InputError(f"dtype is {dtype!r}; it must be float32 or float64")
    place, real = torch.device(device), getattr(torch, dtype)
    if place.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"device is {device}, but torch finds no CUDA device; use cpu")
    samples, width = controls.shape[1:]
    need = voxel_bytes(samples, patients.shape[1], width, real.itemsize)
    threads = torch.get_num_threads() if place.type == "cpu" else 1
    size = memory // (need * threads)
    if size < 1:
        raise InputError(f"memory is {memory} bytes; {threads} voxels need {need * threads}")
    if place.type == "cpu":
        size = min(size, max(CPU_CHUNK, CPU_NUMBERS // (samples * width)))
    total, excess = optimality.mass(nu, samples)
    native = compiled.fits(place, real)
    settings = Settings(nu, gamma, place, real, total, excess, training, native)
    slices = [slice(i, min(i + size, len(controls))) for i in range(0, len(controls), size)]
    return run_chunks(controls, patients, slices, settings, threads)


def run_chunks(
    controls: np.ndarray,
    patients: np.ndarray,
    slices: list[slice],
    settings: Settings,
    threads: int,
) -> Iterator[tuple[slice, Scores]]:
    """Compute chunks in order: threads side by side on a CPU; read ahead for another device."""
    pinned = settings.device.type == "cuda"

    rooms: SimpleQueue[tuple[Tensor, Tensor]] = SimpleQueue()  # kept: new pages cost time
    for _ in range(threads if slices else 0):
        many, (samples, width) = slices[0].stop, controls.shape[1:]
        few = block_size(samples, width, settings.dtype.itemsize, settings.device) or many
        kwargs = {"dtype": settings.dtype, "device": settings.device}
        sizes = ((few, samples, width), (many, samples, samples))
        rooms.put(tuple(torch.empty(size, **kwargs) for size in sizes))

    def load(where: slice) -> tuple[slice, Tensor, Tensor]:
        pair = [torch.from_numpy(writeable(x[where])) for x in (controls, patients)]
        x, y = (one.pin_memory() if pinned else one for one in pair)
        return where, x, y

    def score(where: slice, x: Tensor, y: Tensor) -> tuple[slice, Scores]:
        room = rooms.get()
        try:
            return where, score_chunk(x, y, settings, room, where.start)
        finally:
            rooms.put(room)

    with full_precision(), ThreadPoolExecutor(threads) as pool:
        if settings.device.type == "cpu":
            with one_thread_each():
                yield from ahead(pool, lambda where: score(*load(where)), slices, 2 * threads)
        else:
            for loaded in ahead(pool, load, slices, 2):
                yield score(*loaded)
