"""Many small one-class SVM duals at once: batched SMO and an exact solve on the active set.

The problem of one voxel, in libsvm's scaling (Schoelkopf et al., Neural Computation 13, 2001;
Chang and Lin, LIBSVM, ACM TIST 2, 2011), with kernel matrix Q and n samples:

    min 1/2 a'Qa   with   0 <= a <= 1,   sum(a) = nu n

and gradient g = Qa, whose value on the margin is rho. Since sum(a) is fixed, adding a constant to Q
shifts g and rho alike and changes neither a nor g - rho. Q is therefore held as K - level, one
level a voxel near its mean kernel value: gradients stay small, and so do their rounding errors.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mri2pet.anomaly.optimality import FAR, margin, violation

CHECK_EVERY = 8  # SMO steps between two looks at what has converged: no other waits on a device
ROUNDS = ((24, 8), (128, 8), (512, 12))  # (SMO steps, active sets tried) in turn
FEW = 1 / 32  # part of a batch that is too small to go on with: a step has a fixed cost
ALIKE = 0.6  # start with all points alike where that makes the objective this much smaller
TINY = 1e-12  # libsvm's TAU: the smallest curvature along a pair


@dataclass
class Solution:
    """Dual variables, gradient and margin of a batch.

    Attributes
    ----------
    alpha, gradient
        Each (B, n), on the shifted kernel.
    rho
        (B,), as libsvm computes it, on the shifted kernel.
    solved
        (B,) bool: whether the largest violation of the optimality conditions is below `tol`.
    """

    alpha: Tensor
    gradient: Tensor
    rho: Tensor
    solved: Tensor


def product(kernel: Tensor, alpha: Tensor) -> Tensor:
    """Multiply each voxel's row vector (B, n) by its matrix (B, n, k): (B, k)."""
    return torch.bmm(alpha[:, None], kernel)[:, 0]


def start(kernel: Tensor, level: Tensor, total: float) -> tuple[Tensor, Tensor]:
    """Choose the better of two feasible points: outliers at their bound, or all alike.

    The points farthest from the others are those that a small nu leaves outside; where the kernel
    is nearly diagonal all points share instead. Returns alpha and gradient.
    """
    size = kernel.shape[-1]
    sums = kernel.sum(1)
    count = min(math.ceil(total), size)
    order = sums.topk(count, 1, largest=False).indices
    ramp = (total - torch.arange(count, dtype=kernel.dtype, device=kernel.device)).clamp(0, 1)
    alpha = torch.zeros_like(sums).scatter_(1, order, ramp.expand_as(order))
    gradient = product(kernel, alpha)
    even = sums * (total / size)
    held = (alpha * gradient).sum(1) + level * total**2
    shared = even.sum(1) * (total / size) + level * total**2
    alike = (shared < ALIKE * held)[:, None]
    return torch.where(alike, total / size, alpha), torch.where(alike, even, gradient)


def smo(
    kernel: Tensor,
    peak: Tensor,
    rows: Tensor,
    alpha: Tensor,
    gradient: Tensor,
    steps: int,
    tol: float,
) -> None:
    """Take up to `steps` steps of SMO with second-order selection, in place.

    Parameters
    ----------
    kernel
        (B n, n), the matrices of all voxels on top of each other.
    peak
        (b, 1), the value on each problem's diagonal.
    rows
        (b,), the first row of each problem at work.
    alpha, gradient
        (b, n); problems whose violation is at most `tol` are left alone, and so are the last `FEW`
        of more than 32: the active set takes those.
    """
    problems = torch.arange(len(rows), device=rows.device)
    a, g, first, top = alpha.clone(), gradient.clone(), rows, peak
    up, low = (a >= 1).to(a) * FAR, (a <= 0).to(a) * FAR
    for step in range(steps):
        best, i = (g + up).min(1, keepdim=True)
        gain = (g - low).sub_(best)
        if step % CHECK_EVERY == 0:
            left = (gain.amax(1) > tol).nonzero()[:, 0]
            if len(left) < 0.8 * len(first):
                alpha[problems], gradient[problems] = a, g
                if len(left) <= FEW * len(rows):
                    return
                problems, first, top, a, g, up, low, best, i, gain = (
                    one.index_select(0, left)
                    for one in (problems, first, top, a, g, up, low, best, i, gain)
                )
        gain.clamp_(min=0)
        row_i = kernel.index_select(0, i.squeeze(1) + first)
        curve = (top - row_i).mul_(2).clamp_(min=TINY)
        j = (gain * gain).div_(curve).argmax(1, keepdim=True)
        row_j = kernel.index_select(0, j.squeeze(1) + first)
        pair = torch.cat([i, j], 1)
        a_i, a_j = a.gather(1, pair).split(1, 1)
        room = 1 - a_i
        move = torch.minimum(gain.gather(1, j).div_(curve.gather(1, j)), a_j)
        a_i = torch.where(move >= room, 1.0, a_i + move)
        move = torch.minimum(move, room)
        now = torch.cat([a_i, a_j - move], 1)
        g.addcmul_(row_i.sub_(row_j), move)
        a.scatter_(1, pair, now)
        up.scatter_(1, pair, (now >= 1).to(a).mul_(FAR))
        low.scatter_(1, pair, (now <= 0).to(a).mul_(FAR))
    alpha[problems], gradient[problems] = a, g


def margin_solve(
    kernel: Tensor, level: Tensor, free: Tensor, upper: Tensor, total: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Solve the equalities of a guessed active set exactly, in float64.

    With a = 1 on `upper` and 0 elsewhere off `free`, find a on `free` and rho so that g = rho there
    and sum(a) = total. Only the free rows and columns are gathered and factorised, padded to the
    largest free set of the batch.

    Returns
    -------
    tuple
        alpha (b, n), not clipped; rho (b,) on the shifted kernel; (b,) bool, whether it exists.
    """
    width = max(int(free.sum(1).max()), 1)
    index = free.to(torch.int8).argsort(1, descending=True)[:, :width]
    real = free.gather(1, index).double()
    problem = torch.arange(len(kernel), device=kernel.device)[:, None, None]
    block = kernel[problem, index[:, :, None], index[:, None, :]].double()
    block += level[:, None, None]
    block *= real[:, :, None] * real[:, None, :]
    jitter = TINY if kernel.dtype == torch.float64 else 1e-7
    block.diagonal(dim1=1, dim2=2).add_(1 - real + jitter)
    bound = upper.sum(1).double()
    pull = product(kernel, upper.to(kernel)).gather(1, index).double()
    pull += (level * bound)[:, None]
    factor, failed = torch.linalg.cholesky_ex(block)
    answer = torch.cholesky_solve(torch.stack([real, pull * real], 2), factor)
    ones, pulled = answer.unbind(2)
    mass = ones.sum(1)
    rho = (total - bound + pulled.sum(1)) / mass
    part = ones * rho[:, None] - pulled
    alpha = upper.double().scatter_add_(1, index, part * real)
    found = (failed == 0) & (mass > 0) & torch.isfinite(rho)
    return alpha, rho - level * total, found


def active_set(
    kernel: Tensor,
    level: Tensor,
    alpha: Tensor,
    gradient: Tensor,
    total: float,
    tries: int,
    tol: float,
) -> None:
    """Guess the active set from an inexact answer and correct the guess until it is optimal.

    The primal-dual active set method (Hintermueller, Ito and Kunisch, SIAM J. Optim. 13, 2002):
    free variables that leave [0, 1] go to the bound they crossed, bound ones whose gradient is on
    the wrong side of rho become free. Solved problems are written to `alpha` and `gradient`, the
    others left as they were.
    """
    todo = torch.arange(len(alpha), device=alpha.device)
    work, upper, lower = kernel, alpha >= 1, alpha <= 0
    pair = torch.stack(
        [
            torch.where(alpha < 1, gradient, FAR).argmin(1),
            torch.where(alpha > 0, gradient, -FAR).argmax(1),
        ],
        1,
    )
    upper.scatter_(1, pair, False)
    lower.scatter_(1, pair, False)
    for _ in range(tries):
        found, rho, exists = margin_solve(work, level, ~(upper | lower), upper, total)
        inside = found.clamp(0, 1).to(alpha)
        slope = product(work, inside)
        off = (inside.sum(1) - total).abs() <= tol
        done = exists & off & (violation(inside, slope) <= tol)
        alpha[todo[done]], gradient[todo[done]] = inside[done], slope[done]
        keep = (exists & ~done).nonzero()[:, 0]
        if not len(keep):
            return
        work, level, todo, found, rho, upper, lower = (
            x.index_select(0, keep) for x in (work, level, todo, found, rho, upper, lower)
        )
        exact = product(work, found.to(alpha))
        above = exact - rho[:, None].to(alpha)
        free = ~(upper | lower)
        upper = (free & (found >= 1)) | (upper & (above <= 0))
        lower = (free & (found <= 0)) | (lower & (above >= 0))


def solve(
    kernel: Tensor,
    level: Tensor,
    total: float,
    excess: float = 0.0,
    tol: float = 1e-5,
    alpha: Tensor | None = None,
    rounds: tuple[tuple[int, int], ...] | None = None,
) -> Solution:
    """Solve a batch of one-class duals: SMO and active sets in turn until each is optimal.

    Parameters
    ----------
    kernel
        (B, n, n), the kernel less `level`: symmetric.
    level
        (B,), what was taken off.
    total
        nu n, between 0 and n; a whole number where it is one up to rounding.
    excess
        What `total` lost by that, see `margin`.
    tol
        Largest violation that counts as solved.
    alpha, rounds
        (B, n) feasible point to begin with, by default see `start`; by default `ROUNDS`.
    """
    size = kernel.shape[-1]
    flat, peak, exact = kernel.view(-1, size), (1 - level)[:, None], level.double()
    if alpha is None:
        alpha, gradient = start(kernel, level, total)
    else:
        alpha, gradient = alpha.clone(), product(kernel, alpha)
    problem = torch.arange(len(kernel), device=kernel.device)
    for steps, tries in rounds or ROUNDS:
        a, g = alpha[problem], gradient[problem]
        smo(flat, peak[problem], problem * size, a, g, steps, 0.5 * tol)
        missed = (violation(a, g) > 0.5 * tol).nonzero()[:, 0]
        if len(missed):
            at, b, h = (one.index_select(0, missed) for one in (problem, a, g))
            hard = kernel.index_select(0, at)
            active_set(hard, exact[at], b, h, total, tries, tol)
            a[missed] = b
        alpha[problem] = a
        every = len(problem) == len(kernel)
        gradient[problem] = product(kernel if every else kernel.index_select(0, problem), a)
        problem = problem[violation(a, gradient[problem]) > tol]
        if not len(problem):
            break
    solved = torch.ones_like(level, dtype=torch.bool).index_fill_(0, problem, False)
    return Solution(alpha, gradient, margin(alpha, gradient, excess), solved)
