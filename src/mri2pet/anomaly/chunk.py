"""One chunk of voxels for `mri2pet.anomaly.ocsvm`: kernels, one-class SVMs, decision values."""

import math
from dataclasses import dataclass, field
from threading import Event

import numpy as np
import torch
from torch import Tensor

from mri2pet.anomaly import dual
from mri2pet.anomaly.chunks import Gamma
from mri2pet.errors import InputError

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-9}
ROWS, MORE_ROWS = 1.6, 4  # rows of a kernel made first, by nu n, the least number that can support
WORTH = 0.6  # of all rows: above, all are made at once
PROBE, LEAVE = 16, 0.3  # so, too, if of a 16th of a chunk more than this part is left without them
FEATURES = 2**21  # bytes of features and kernel of the voxels whose kernels are made together
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
    """What all voxels share; `total` and `excess` as `dual.solve` takes them.

    `few` is set once a chunk has shown that a few rows of its kernels do, `whole` that they do not.
    """

    nu: float
    gamma: Gamma
    device: torch.device
    dtype: torch.dtype
    total: float
    excess: float
    block: int
    training: bool
    few: Event = field(default_factory=Event)
    whole: Event = field(default_factory=Event)


def score_chunk(x: Tensor, y: Tensor, settings: Settings, kernel: Tensor, first: int) -> Scores:
    """Score one chunk: (B, n, d) controls and (B, m, d) patients, of any float type.

    Few controls become support vectors, mostly those far from the others. So the kernels of the
    farthest alone are made and their problem solved; where the answer is optimal for all controls,
    which is checked, it is theirs. What is left is solved with all.

    `kernel` is room for (B, n, n); `first` is the number of the first voxel, for messages.
    """
    samples = x.shape[1]
    rows = min(samples, math.ceil(ROWS * settings.total) + MORE_ROWS)
    if not (settings.few.is_set() or settings.whole.is_set()):
        some = slice(0, max(1, len(x) // PROBE))
        all_of_them = rows > samples * WORTH or few_leave(
            x[some], y[some], settings, kernel, first, rows
        )
        (settings.whole if all_of_them else settings.few).set()
    if settings.whole.is_set():
        return score_rows(x, y, settings, kernel, first, samples)[0]
    room = kernel.flatten()[: len(x) * rows * samples].view(-1, rows, samples)
    scores, left = score_rows(x, y, settings, room, first, rows)
    if len(left) > LEAVE * len(x):
        settings.whole.set()
    if len(left):
        rest = [one[left.to(one.device)] for one in (x, y)]
        again, _ = score_rows(*rest, settings, kernel[: len(left)], first, samples)
        places = left.cpu().numpy()
        scores.patients[places] = again.patients
        if scores.controls is not None:
            scores.controls[places] = again.controls
        scores.rescued += again.rescued
    return scores


def few_leave(
    x: Tensor, y: Tensor, settings: Settings, kernel: Tensor, first: int, rows: int
) -> bool:
    """Try `rows` rows on some voxels: tell whether they leave too many of them unsolved."""
    room = kernel.flatten()[: len(x) * rows * x.shape[1]].view(-1, rows, x.shape[1])
    _, left = score_rows(x, y, settings, room, first, rows)
    return len(left) > LEAVE * len(x)


def score_rows(
    x: Tensor, y: Tensor, settings: Settings, kernel: Tensor, first: int, rows: int
) -> tuple[Scores, Tensor]:
    """Score a chunk by the `rows` controls of each voxel that lie farthest from the mean.

    `kernel` is room for (B, rows, n). With all n rows, what is not solved goes to scikit-learn.

    Returns
    -------
    scores, left
        Scores; with fewer rows also the voxels whose answer is not optimal for all controls.
    """
    many, samples, _ = x.shape
    kwargs = {"dtype": settings.dtype, "device": settings.device}
    cross = torch.empty((many, rows, y.shape[1]), **kwargs)
    level, gamma = torch.empty(many, **kwargs), torch.empty(many, **kwargs)
    chosen = torch.empty((many, rows), dtype=torch.int64, device=settings.device)
    block = settings.block  # of all rows; a few leave room for more voxels beside their features
    if rows < samples:
        block = max(block, FEATURES // (samples * (x.shape[2] + rows) * settings.dtype.itemsize))
    for start in range(0, many, block):
        part = slice(start, min(start + block, many))
        a, b = (one[part].to(**kwargs, non_blocking=True) for one in (x, y))
        out = (one[part] for one in (kernel, cross, level, gamma, chosen))
        fill(a, b, settings.gamma, *out)
    if not bool(torch.isfinite(level).all()) or not bool(torch.isfinite(cross).all()):
        wrong = ~(torch.isfinite(level) & torch.isfinite(cross).all(2).all(1))
        voxel = first + int(wrong.nonzero()[0, 0])
        raise InputError(
            f"voxel {voxel}: a feature is not a finite number, or too large for {settings.dtype}"
        )
    tol = TOLERANCE[settings.dtype]
    few = rows < samples
    square = kernel.gather(2, chosen[:, None].expand(-1, rows, -1)) if few else kernel
    answer = dual.solve(square, level, settings.total, settings.excess, tol)
    rho, gradient, solved = answer.rho, answer.gradient, answer.solved
    if few:
        gradient = dual.product(kernel, answer.alpha)
        alpha = torch.zeros((many, samples), **kwargs).scatter_(1, chosen, answer.alpha)
        rho = dual.margin(alpha, gradient, settings.excess)
        solved = dual.violation(alpha, gradient) <= tol
    patients = (dual.product(cross, answer.alpha) - rho[:, None]).float().cpu().numpy()
    controls = None
    if settings.training:
        controls = (gradient - rho[:, None]).float().cpu().numpy()
    left = (~solved).nonzero()[:, 0]
    missed = [] if few else left.tolist()
    for voxel in missed:
        model = reference(settings.nu, float(gamma[voxel])).fit(x[voxel].double().numpy())
        if len(y[voxel]):
            patients[voxel] = model.decision_function(y[voxel].double().numpy())
        if controls is not None:
            controls[voxel] = model.decision_function(x[voxel].double().numpy())
    return Scores(patients, controls, len(missed)), left


def fill(
    x: Tensor,
    y: Tensor,
    gamma: Gamma,
    kernel: Tensor,
    cross: Tensor,
    level: Tensor,
    width: Tensor,
    chosen: Tensor,
) -> None:
    """Write kernels less level (k, n) and (k, m), the level, and gamma, of a block of voxels.

    Rows are of the k controls farthest from the mean, whose numbers go to `chosen`; of all in
    their order where k is n. Distances are taken from the centred features, where differences keep
    their digits, and K - 1 = expm1(-gamma d^2). The level is the mean of one row: all it must be
    is near K.
    """
    mean = x.mean(1, keepdim=True)
    x, y = x - mean, y - mean
    if few := kernel.shape[1] < kernel.shape[2]:
        squares = torch.linalg.vecdot(x, x)
        chosen.copy_(squares.topk(kernel.shape[1], 1).indices)
        rows = x.gather(1, chosen[:, :, None].expand(-1, -1, x.shape[2]))
        torch.bmm(rows, x.mT, out=kernel)
    else:
        rows = x
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
    near = (squares.gather(1, chosen) if few else squares)[:, :, None] * scale
    for matrix, second in ((kernel, squares), (cross, others)):
        if matrix is cross:
            torch.bmm(rows, y.mT, out=cross)
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
