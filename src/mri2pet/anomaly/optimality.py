"""When an answer to a one-class SVM's dual is optimal, and its margin, both as libsvm has them."""

import torch
from torch import Tensor

FAR = 1e30  # keeps a variable at its bound out of a minimum or maximum


def bounds(alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return 1 where a variable is above 0, and where it is below 1, else 0: numbers, to mask by.

    Adding `FAR` times a mask is faster than `torch.where` on a CPU.
    """
    return alpha.sign(), (1 - alpha).sign_()


def violation(alpha: Tensor, gradient: Tensor, others: float | Tensor = FAR) -> Tensor:
    """Return how far the most violating pair is from optimal; negative: no free variable, optimal.

    That is max(g over a > 0) - min(g over a < 1), libsvm's stopping measure. `others` is the
    smallest gradient (B,) of variables at 0 that are not among those given.
    """
    above, below = bounds(alpha)
    low = torch.add(gradient, above - 1, alpha=FAR).amax(1)
    return low - torch.sub(gradient, below - 1, alpha=FAR).amin(1).clamp(max=others)


def margin(alpha: Tensor, gradient: Tensor, excess: float, others: float | Tensor = FAR) -> Tensor:
    """Return rho as libsvm does: mean gradient of free variables, or the middle of its interval.

    `others` is as for `violation`.

    `excess` is nu n less the nearest whole number where that is a rounding error, as in .1 * 70:
    libsvm then keeps one variable that far inside its bound, and rho is that variable's gradient.
    """
    above, below = bounds(alpha)
    free = above * below
    count = free.sum(1)
    mean = (free * gradient).sum(1) / count
    top = torch.sub(gradient, below, alpha=FAR).amax(1)
    bottom = torch.add(gradient, above, alpha=FAR).amin(1).clamp(max=others)
    between = bottom if excess > 0 else top if excess < 0 else (top + bottom) / 2
    return torch.where(count > 0, mean, between)


def mass(nu: float, samples: int) -> tuple[float, float]:
    """Return nu n as libsvm adds it up, and what rounding left of it beyond a whole number.

    libsvm adds nu n times in float64; where the sum should be whole it misses it by some 1e-15,
    which then decides on which end of its interval rho lies (`margin`).
    """
    total = 0.0
    for _ in range(samples):
        total += nu
    whole = float(round(total))
    return (whole, total - whole) if abs(total - whole) < 1e-9 and whole else (total, 0.0)
