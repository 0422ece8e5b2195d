"""Rows of the kernel matrices of many voxels: centred features, and kernels of chosen controls."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mri2pet.anomaly.chunks import Gamma

TOGETHER = 6 * 2**20  # bytes of features and kernel of the voxels that are worked on together
CONSTANT = 1e-13  # variance below this part of the squared mean is rounding: scikit-learn sees 0


@dataclass
class Centred:
    """Features of b voxels less the controls' mean, where differences keep their digits.

    Attributes
    ----------
    controls, patients
        (b, n, d) and (b, m, d).
    near, far
        (b, n) and (b, m): their squared lengths times gamma.
    gamma
        (b,) width of the kernel exp(-gamma |x - y|^2).
    """

    controls: Tensor
    patients: Tensor
    near: Tensor
    far: Tensor
    gamma: Tensor


def block_size(samples: int, width: int, itemsize: int, device: torch.device) -> int | None:
    """Return how many voxels' features and kernels stay in a CPU's cache; None: elsewhere, all."""
    return max(1, TOGETHER // (2 * samples * width * itemsize)) if device.type == "cpu" else None


def blocks(many: int, size: int | None) -> list[slice]:
    """Part voxels into blocks."""
    return [slice(i, min(i + (size or many), many)) for i in range(0, many, size or max(many, 1))]


def centre(x: Tensor, y: Tensor, gamma: Gamma, room: Tensor) -> Centred:
    """Centre controls (b, n, d) and patients (b, m, d) of any float type; find gamma.

    `room` is for the centred controls, of at least b voxels; it says type and device. "scale" is
    scikit-learn's: 1 / (d var(controls)) at each voxel; "median" is `median_gamma`.
    """
    many, samples, width = x.shape
    to = Centred(
        room[:many],
        room.new_empty((many, y.shape[1], width)),
        room.new_empty((many, samples)),
        room.new_empty((many, y.shape[1])),
        room.new_empty(many),
    )
    a, b = (one.to(to.gamma.device, to.gamma.dtype, non_blocking=True) for one in (x, y))
    share = to.gamma.new_full((1, 1, samples), 1 / samples)
    mean = torch.bmm(share.expand(len(a), -1, -1), a)
    torch.sub(a, mean, out=to.controls)
    torch.sub(b, mean, out=to.patients)
    torch.linalg.vecdot(to.controls, to.controls, out=to.near)
    torch.linalg.vecdot(to.patients, to.patients, out=to.far)
    if gamma == "scale":
        middle = mean[:, 0]
        own = middle - middle.mean(1, keepdim=True)
        variance = (to.near.mean(1) + own.square().sum(1)) / width
        seen = variance > CONSTANT * middle.square().mean(1)
        to.gamma.copy_(torch.where(seen, 1 / (variance * width), 1.0))
    elif gamma == "median":
        to.gamma.copy_(median_gamma(to.controls, to.near, mean[:, 0]))
    else:
        to.gamma.fill_(gamma)
    to.near.mul_(to.gamma[:, None])
    to.far.mul_(to.gamma[:, None])
    return to


def median_gamma(controls: Tensor, near: Tensor, mean: Tensor) -> Tensor:
    """Return gamma (b,) of a Gaussian kernel whose sigma is the median distance of two controls.

    The median heuristic (Gretton et al. 2012, Journal of Machine Learning Research 13, section 8):
    1 / (2 median squared distance). Controls (b, n, d) are centred, near (b, n) are their squared
    lengths, mean is (b, d). 1 where they are all alike.
    """
    first, second = torch.triu_indices(near.shape[1], near.shape[1], 1, device=near.device)
    inner = torch.bmm(controls, controls.mT)[:, first, second]
    apart = near[:, first] + near[:, second] - 2 * inner
    pairs = len(first)
    if not pairs:
        return torch.ones_like(near[:, 0])
    middle = (apart.kthvalue((pairs + 1) // 2, 1)[0] + apart.kthvalue(pairs // 2 + 1, 1)[0]) / 2
    seen = middle > CONSTANT * controls.shape[2] * mean.square().mean(1)
    return torch.where(seen, 0.5 / middle, 1.0)


def kernel_rows(some: Centred, chosen: Tensor | None, kernel: Tensor, cross: Tensor) -> None:
    """Write K - 1 of chosen controls with all controls, and with the patients.

    Parameters
    ----------
    some
        Features of v voxels.
    chosen
        (v, k) controls at each; None for all n.
    kernel, cross
        Room for (v, k, n) and (v, k, m).
    """
    rows, samples = kernel.shape[1:]
    first, near = some.controls, some.near
    if chosen is not None:
        place = torch.arange(len(first), device=kernel.device)[:, None] * samples
        flat = some.controls.flatten(0, 1).index_select(0, (chosen + place).flatten())
        first, near = flat.view(-1, rows, flat.shape[1]), near.gather(1, chosen)
    double = 2 * some.gamma[:, None, None]
    for out, second, length in (
        (kernel, some.controls, some.near),
        (cross, some.patients, some.far),
    ):
        torch.bmm(first, second.mT, out=out)
        torch.addcmul(-length[:, None], out, double, out=out)
        out.sub_(near[:, :, None]).expm1_()
    if chosen is None:
        kernel.diagonal(dim1=1, dim2=2).zero_()
    else:
        kernel.scatter_(2, chosen[:, :, None], 0.0)
