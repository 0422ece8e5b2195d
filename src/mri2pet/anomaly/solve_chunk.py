"""One chunk of voxels for `mri2pet.anomaly.ocsvm`: kernels, one-class SVMs, decision values."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mri2pet.anomaly import compiled, dual, optimality
from mri2pet.anomaly.chunks import Gamma
from mri2pet.anomaly.kernels import Centred, block_size, blocks, centre, kernel_rows
from mri2pet.errors import InputError

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-9}
ROWS, MORE_ROWS = 1.6, 4  # rows of a kernel made first, by nu n, the least number that can support
MOST, SHARE = 0.9, 0.25  # rows are added for a quarter of what lies outside, in 9 of 10 voxels
FIRST = ((12, 0),)  # SMO steps, active sets with the first rows: they show which others matter
WORTH = 0.6  # of all rows: above, all are made at once


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
        Number of voxels that went to scikit-learn because the batch solved them neither in float32
        nor, a second time, in float64. Rounding alone sends none there, on any processor: it is
        none for 35 to 150 controls with Gaussian features and nu from 0.03 to 0.97. The second
        time is for problems with many support vectors: some of those with nu n above 30.
    """

    patients: np.ndarray
    controls: np.ndarray | None
    rescued: int


@dataclass(frozen=True)
class Settings:
    """What all voxels share; `total` and `excess` as `dual.solve` takes them.

    `compiled` says whether the compiled kernel solves them.
    """

    nu: float
    gamma: Gamma
    device: torch.device
    dtype: torch.dtype
    total: float
    excess: float
    training: bool
    compiled: bool = False


def score_chunk(
    x: Tensor, y: Tensor, settings: Settings, room: tuple[Tensor, Tensor], first: int
) -> Scores:
    """Score one chunk: (B, n, d) controls and (B, m, d) patients, of any float type.

    Few controls become support vectors, mostly those far from the others. So the kernels of the
    farthest alone are made and their problem solved; where the answer is optimal for all controls,
    which is checked, it is theirs. Where it is not, the controls that lie farthest outside its
    region are added, and so on: column generation.

    Kernels are held less 1 and a `shift`, the mean of one row: all it must be is near K - 1.

    `room` is for (b, n, d), b of `block_size` or B, and for (B, n, n); `first` is the number of the
    first voxel, for messages.
    """
    if settings.compiled:
        return score_compiled(x, y, settings, first)
    many, samples, width = x.shape
    total, tol = settings.total, TOLERANCE[settings.dtype]
    x, y = (one.to(settings.device, non_blocking=True) for one in (x, y))
    rows = enough(math.ceil(ROWS * total) + MORE_ROWS, samples)
    todo = torch.arange(many, device=settings.device)
    chosen = todo.new_empty((many, rows)) if rows < samples else None
    gamma, shift = room[0].new_empty((2, many))
    kernel, cross = room_for_kernels((many, rows, samples, y.shape[1]), room[1])
    size = block_size(samples, width, kernel.itemsize, settings.device)
    for block in blocks(many, size):
        features = centre(x[block], y[block], settings.gamma, room[0])
        check_finite(features, first + block.start)
        gamma[block] = features.gamma
        if chosen is not None:
            chosen[block] = features.near.topk(rows, 1, sorted=False).indices
        some = None if chosen is None else chosen[block]
        kernel_rows(features, some, kernel[block], cross[block])
        torch.mean(kernel[block, 0], 1, out=shift[block])
        for one in (kernel, cross):
            one[block].sub_(shift[block, None, None])
    patients = torch.empty((many, y.shape[1]), dtype=torch.float32, device=settings.device)
    controls = patients.new_empty((many, samples)) if settings.training else None
    alpha = None
    while True:
        square = kernel
        if chosen is not None:
            square = kernel.gather(2, chosen[:, None].expand(-1, chosen.shape[1], -1))
        rounds = FIRST if chosen is not None and alpha is None else None
        answer = dual.solve(square, shift + 1, total, settings.excess, tol, alpha, rounds)
        alpha, gradient, rho, solved = answer.alpha, answer.gradient, answer.rho, answer.solved
        if chosen is not None:
            gradient = dual.product(kernel, alpha)
            own = gradient.gather(1, chosen)
            others = gradient.scatter(1, chosen, optimality.FAR).amin(1)
            rho = optimality.margin(alpha, own, settings.excess, others)
            solved = optimality.violation(alpha, own, others) <= tol
        patients[todo] = (dual.product(cross, alpha) - rho[:, None]).float()
        if controls is not None:
            controls[todo] = (gradient - rho[:, None]).float()
        left = (~solved).nonzero()[:, 0]
        todo = todo[left]
        if not len(left) or chosen is None:
            break
        chosen, alpha, gradient, shift = (
            one.index_select(0, left) for one in (chosen, alpha, gradient, shift)
        )
        more = outside(chosen, alpha, gradient, tol)
        if enough(chosen.shape[1] + more.shape[1], samples) == samples:
            alpha = torch.zeros_like(gradient).scatter_(1, chosen, alpha)
            chosen = None
            kernel, cross = further(x, y, todo, None, settings, room, shift)
        else:
            alpha = torch.cat([alpha, torch.zeros_like(more, dtype=alpha.dtype)], 1)
            chosen = torch.cat([chosen, more], 1)
            new, also = further(x, y, todo, more, settings, (room[0], None), shift)
            kernel = torch.cat([kernel.index_select(0, left), new], 1)
            cross = torch.cat([cross.index_select(0, left), also], 1)
    scores = Scores(patients.cpu().numpy(), None, 0)
    if controls is not None:
        scores.controls = controls.cpu().numpy()
    if settings.dtype == torch.float64:
        rescue(scores, x, y, todo, gamma, settings.nu)
    elif len(todo):
        score_again(scores, x, y, todo, settings, first)
    return scores


def score_compiled(x: Tensor, y: Tensor, settings: Settings, first: int) -> Scores:
    """Score one chunk by the compiled kernel, and what it leaves unsolved in double precision."""
    tol = TOLERANCE[settings.dtype]
    many, samples, width = x.shape
    answers = []
    for block in blocks(many, block_size(samples, width, 4, settings.device)):
        answer = compiled.score(
            x[block],
            y[block],
            settings.gamma,
            settings.total,
            settings.excess,
            tol,
            settings.training,
        )
        if answer.faulty is not None:
            raise not_finite(first + block.start + answer.faulty, settings.dtype)
        answers.append(answer)
    scores = Scores(torch.cat([one.patients for one in answers]).numpy(), None, 0)
    if settings.training:
        scores.controls = torch.cat([one.controls for one in answers]).numpy()
    left = (~torch.cat([one.solved for one in answers])).nonzero()[:, 0]
    if len(left):
        score_again(scores, x, y, left, settings, first)
    return scores


def score_again(
    scores: Scores, x: Tensor, y: Tensor, voxels: Tensor, settings: Settings, first: int
) -> None:
    """Score some voxels of a chunk in double precision, and write that into `scores`.

    Where gradients are large, their rounding in float32 may exceed the tolerance. Whether a problem
    then counts as solved depends on the order in which a processor adds. In float64 rounding is
    below a thousandth of the tolerance.
    """
    exact = replace(settings, dtype=torch.float64, compiled=False)
    for part in voxels.split(max(1, len(x) // 4)):  # in the memory of the chunk
        many, samples, width = x[part].shape
        few = block_size(samples, width, exact.dtype.itemsize, x.device) or many
        shapes = ((few, samples, width), (many, samples, samples))
        room = tuple(torch.empty(one, dtype=exact.dtype, device=x.device) for one in shapes)
        again = score_chunk(x[part], y[part], exact, room, first)
        where = part.cpu().numpy()
        scores.patients[where] = again.patients
        if scores.controls is not None:
            scores.controls[where] = again.controls
        scores.rescued += again.rescued


def rescue(scores: Scores, x: Tensor, y: Tensor, voxels: Tensor, gamma: Tensor, nu: float) -> None:
    """Score some voxels of a chunk by scikit-learn, and write that into `scores`."""
    for voxel in voxels.tolist():
        own, new = (one[voxel].double().cpu().numpy() for one in (x, y))
        model = reference(nu, float(gamma[voxel])).fit(own)
        if len(new):
            scores.patients[voxel] = model.decision_function(new)
        if scores.controls is not None:
            scores.controls[voxel] = model.decision_function(own)
    scores.rescued += len(voxels)


def check_finite(features: Centred, first: int) -> None:
    """Raise InputError for the first voxel with a feature that is no finite number."""
    fine = torch.isfinite(features.near.sum(1) + features.far.sum(1) + features.gamma)
    if not bool(fine.all()):
        raise not_finite(first + int((~fine).nonzero()[0, 0]), features.near.dtype)


def not_finite(voxel: int, dtype: torch.dtype) -> InputError:
    """Say which voxel has a feature that is no finite number."""
    return InputError(f"voxel {voxel}: a feature is not a finite number, or too large for {dtype}")


def room_for_kernels(
    shape: tuple[int, int, int, int], room: Tensor | None, like: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Make room for kernels: (v, k, n), in `room` if there is some, else as `like`; (v, k, m)."""
    voxels, rows, samples, patients = shape
    size = voxels * rows * samples
    flat = like.new_empty(size) if room is None else room.flatten()[:size]
    return flat.view(voxels, rows, samples), flat.new_empty((voxels, rows, patients))


def further(
    x: Tensor,
    y: Tensor,
    voxels: Tensor,
    chosen: Tensor | None,
    settings: Settings,
    room: tuple[Tensor, Tensor | None],
    shift: Tensor,
) -> tuple[Tensor, Tensor]:
    """Make kernels of chosen controls (all if None) of some voxels, less 1 and their shift.

    Few voxels need it: their features are centred once more instead of being kept for it.

    Returns
    -------
    tuple
        (v, k, n), in `room` if there is some, with all controls; (v, k, m) with the patients.
    """
    samples, width = x.shape[1:]
    rows = samples if chosen is None else chosen.shape[1]
    kernel, cross = room_for_kernels((len(voxels), rows, samples, y.shape[1]), room[1], room[0])
    size = block_size(samples, width, kernel.itemsize, kernel.device)
    for block in blocks(len(voxels), size):
        features = centre(x[voxels[block]], y[voxels[block]], settings.gamma, room[0])
        some = None if chosen is None else chosen[block]
        kernel_rows(features, some, kernel[block], cross[block])
    return kernel.sub_(shift[:, None, None]), cross.sub_(shift[:, None, None])


def enough(rows: int, samples: int) -> int:
    """Return how many rows to make where at least `rows` are needed: all if that is most."""
    return samples if rows > WORTH * samples else rows


def outside(chosen: Tensor, alpha: Tensor, gradient: Tensor, tol: float) -> Tensor:
    """Find (b, k) controls beside the chosen that lie farthest outside an answer's region."""
    low = torch.where(alpha > 0, gradient.gather(1, chosen), -optimality.FAR).amax(1, keepdim=True)
    others = gradient.scatter(1, chosen, optimality.FAR)
    wanted = (others < low - tol).sum(1).float().quantile(MOST)
    count = min(max(math.ceil(SHARE * wanted), MORE_ROWS, 1), gradient.shape[1] - chosen.shape[1])
    return others.topk(count, 1, largest=False, sorted=False).indices


def reference(nu: float, gamma: Gamma = "scale", tol: float = 1e-6):
    """Make the scikit-learn model that a voxel's decision values are those of."""
    from sklearn.svm import OneClassSVM

    return OneClassSVM(kernel="rbf", nu=nu, gamma=gamma, tol=tol)
