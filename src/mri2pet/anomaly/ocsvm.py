"""One RBF one-class SVM a voxel, for millions of voxels: scikit-learn's decision values in batches.

Every voxel has its own model of the controls' feature vectors there, and scores the patients'
vectors (Alaverdyan et al., Medical Image Analysis 60, 2020). `sklearn.svm.OneClassSVM` in a loop is
the reference; here the kernel matrices of a chunk of voxels are built and solved together with
torch, on a CPU or a CUDA device, see `mri2pet.anomaly.dual`.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mri2pet.anomaly import dual
from mri2pet.anomaly.chunks import (
    Gamma,
    ahead,
    check,
    full_precision,
    one_thread_each,
    voxel_bytes,
    writeable,
)
from mri2pet.errors import InputError

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-9}
CPU_CHUNK = 1024  # enough voxels to hide what starting an operation costs
CPU_NUMBERS = 2**20  # kernel values of a chunk where few samples leave room for more voxels
CACHE = 2**20  # bytes of kernel that one CPU thread works on while they are in its cache
CONSTANT = 1e-13  # variance below this part of the squared mean is rounding: scikit-learn sees 0


@dataclass
class Scores:
    """Decision values of some voxels, positive inside the controls' region.

    Attributes
    ----------
    patients
        (V, m) float32.
    controls
        (V, n) float32, of the training samples themselves, or None.
    rescued
        Number of voxels that went to scikit-learn because the batch did not solve them.
    """

    patients: np.ndarray
    controls: np.ndarray | None
    rescued: int


@dataclass(frozen=True)
class Settings:
    """What all voxels share; `total` and `excess` as `dual.solve` takes them."""

    nu: float
    gamma: Gamma
    device: torch.device
    dtype: torch.dtype
    total: float
    excess: float
    block: int
    training: bool


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
        Width of exp(-gamma |x - y|^2), or "scale": 1 / (d var(controls)) at each voxel.
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
    block = size
    if place.type == "cpu":
        size = min(size, max(CPU_CHUNK, CPU_NUMBERS // samples**2))
        block = max(1, CACHE // (samples * samples * real.itemsize))
    total, excess = dual.mass(nu, samples)
    settings = Settings(nu, gamma, place, real, total, excess, block, training)
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

    kernels: SimpleQueue[Tensor] = SimpleQueue()  # kept from chunk to chunk: new pages cost time
    for _ in range(threads if slices else 0):
        shape = (slices[0].stop, controls.shape[1], controls.shape[1])
        kernels.put(torch.empty(shape, dtype=settings.dtype, device=settings.device))

    def load(where: slice) -> tuple[slice, Tensor, Tensor]:
        pair = [torch.from_numpy(writeable(x[where])) for x in (controls, patients)]
        x, y = (one.pin_memory() if pinned else one for one in pair)
        return where, x, y

    def score(where: slice, x: Tensor, y: Tensor) -> tuple[slice, Scores]:
        kernel = kernels.get()
        try:
            return where, score_chunk(x, y, settings, kernel[: len(x)], where.start)
        finally:
            kernels.put(kernel)

    with full_precision(), ThreadPoolExecutor(threads) as pool:
        if settings.device.type == "cpu":
            with one_thread_each():
                yield from ahead(pool, lambda where: score(*load(where)), slices, 2 * threads)
        else:
            for loaded in ahead(pool, load, slices, 2):
                yield score(*loaded)


def score_chunk(x: Tensor, y: Tensor, settings: Settings, kernel: Tensor, first: int) -> Scores:
    """Score one chunk: (B, n, d) controls and (B, m, d) patients, of any float type.

    `kernel` is room for (B, n, n); `first` is the number of the first voxel, for messages.
    """
    many, samples, _ = x.shape
    kwargs = {"dtype": settings.dtype, "device": settings.device}
    cross = torch.empty((many, samples, y.shape[1]), **kwargs)
    level, gamma = torch.empty(many, **kwargs), torch.empty(many, **kwargs)
    for start in range(0, many, settings.block):
        part = slice(start, min(start + settings.block, many))
        a, b = (one[part].to(**kwargs, non_blocking=True) for one in (x, y))
        fill(a, b, settings.gamma, kernel[part], cross[part], level[part], gamma[part])
    if not bool(torch.isfinite(level).all()) or not bool(torch.isfinite(cross).all()):
        wrong = ~(torch.isfinite(level) & torch.isfinite(cross).all(2).all(1))
        voxel = first + int(wrong.nonzero()[0, 0])
        raise InputError(
            f"voxel {voxel}: a feature is not a finite number, or too large for {settings.dtype}"
        )
    tol = TOLERANCE[settings.dtype]
    answer = dual.solve(kernel, level, settings.total, settings.excess, tol)
    rho = answer.rho[:, None]
    patients = (dual.product(cross, answer.alpha) - rho).float().cpu().numpy()
    controls = None
    if settings.training:
        controls = (answer.gradient - rho).float().cpu().numpy()
    missed = (~answer.solved).nonzero()[:, 0].tolist()
    for voxel in missed:
        model = reference(settings.nu, float(gamma[voxel])).fit(x[voxel].double().numpy())
        if len(y[voxel]):
            patients[voxel] = model.decision_function(y[voxel].double().numpy())
        if controls is not None:
            controls[voxel] = model.decision_function(x[voxel].double().numpy())
    return Scores(patients, controls, len(missed))


def fill(
    x: Tensor, y: Tensor, gamma: Gamma, kernel: Tensor, cross: Tensor, level: Tensor, width: Tensor
) -> None:
    """Write kernels less level (n, n) and (n, m), the level, and gamma, of a block of voxels.

    Distances are taken from the centred features, where differences keep their digits, and
    K - 1 = expm1(-gamma d^2). The level is the mean of one row: all it must be is near K.
    """
    mean = x.mean(1, keepdim=True)
    x, y = x - mean, y - mean
    torch.bmm(x, x.mT, out=kernel)
    squares = kernel.diagonal(dim1=1, dim2=2).clone()
    if gamma == "scale":
        centre = mean[:, 0]
        variance = squares.mean(1) / x.shape[2] + centre.var(1, correction=0)
        seen = variance > CONSTANT * centre.square().mean(1)
        width.copy_(torch.where(seen, 1 / (variance * x.shape[2]), 1.0))
    else:
        width.fill_(gamma)
    scale = width[:, None, None]
    others = torch.linalg.vecdot(y, y)
    near = squares[:, :, None] * scale
    for matrix, second in ((kernel, squares), (cross, others)):
        if matrix is cross:
            torch.bmm(x, y.mT, out=cross)
        torch.addcmul(-(second[:, None] * scale), matrix, 2 * scale, out=matrix)
        matrix.sub_(near).expm1_()
    shift = kernel[:, 0].mean(1)
    torch.add(shift, 1, out=level)
    kernel.sub_(shift[:, None, None])
    cross.sub_(shift[:, None, None])


def reference(nu: float, gamma: Gamma = "scale", tol: float = 1e-6):
    """Make the scikit-learn model that a voxel's decision values are those of."""
    from sklearn.svm import OneClassSVM

    return OneClassSVM(kernel="rbf", nu=nu, gamma=gamma, tol=tol)
