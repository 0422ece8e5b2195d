"""Rows of the kernel matrices of many voxels: centred features, and kernels of chosen controls."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mri2pet.anomaly.chunks import Gamma

TOGETHER = 2**20  # bytes of features and kernel of the voxels that are worked on together
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

    def part(self, voxels: Tensor | slice) -> "Centred":
        """Return some of the voxels; the numbers of all of them in order are a view."""
        if isinstance(voxels, slice):
            return Centred(*(one[voxels] for one in vars(self).values()))
        return Centred(*(one.index_select(0, voxels) for one in vars(self).values()))


def blocks(many: int, bytes_each: int, device: torch.device) -> list[slice]:
    """Part voxels so that a block's stay in a CPU's cache; elsewhere one block is best."""
    size = max(1, TOGETHER // bytes_each) if device.type == "cpu" else max(many, 1)
    return [slice(start, min(start + size, many)) for start in range(0, many, size)]


def centre(x: Tensor, y: Tensor, gamma: Gamma, room: Tensor) -> Centred:
    """Centre controls (b, n, d) and patients (b, m, d) of any float type; find gamma.

    `room` is for the result's controls; it says type and device. "scale" is scikit-learn's:
    1 / (d var(controls)) at each voxel.
    """
    many, samples, width = x.shape
    made = Centred(
        room,
        room.new_empty((many, y.shape[1], width)),
        room.new_empty((many, samples)),
        room.new_empty((many, y.shape[1])),
        room.new_empty(many),
    )
    share = room.new_full((1, 1, samples), 1 / samples)
    for block in blocks(many, 2 * samples * width * room.itemsize, room.device):
        to = made.part(block)
        a, b = (one[block].to(room.device, room.dtype, non_blocking=True) for one in (x, y))
        mean = torch.bmm(share.expand(len(a), -1, -1), a)
        torch.sub(a, mean, out=to.controls)
        torch.sub(b, mean, out=to.patients)
        torch.linalg.vecdot(to.controls, to.controls, out=to.near)
        torch.linalg.vecdot(to.patients, to.patients, out=to.far)
        if gamma == "scale":
            middle = mean[:, 0]
            variance = to.near.mean(1) / width + middle.var(1, correction=0)
            seen = variance > CONSTANT * middle.square().mean(1)
            to.gamma.copy_(torch.where(seen, 1 / (variance * width), 1.0))
        else:
            to.gamma.fill_(gamma)
    made.near.mul_(made.gamma[:, None])
    made.far.mul_(made.gamma[:, None])
    return made


def kernel_rows(
    features: Centred, voxels: Tensor | None, chosen: Tensor | None, kernel: Tensor, cross: Tensor
) -> None:
    """Write K - 1 of chosen controls with all controls, and with the patients.

    Parameters
    ----------
    features
        Of b voxels.
    voxels
        (v,), which of them; None for all.
    chosen
        (v, k) controls at each; None for all n.
    kernel, cross
        Room for (v, k, n) and (v, k, m).
    """
    rows, samples = kernel.shape[1:]
    width = features.controls.shape[2]
    item = kernel.itemsize
    for block in blocks(len(kernel), samples * (width + rows) * item, kernel.device):
        some = features.part(block if voxels is None else voxels[block])
        controls = some.controls
        first, near = controls, some.near
        if chosen is not None:
            place = torch.arange(len(controls), device=kernel.device)[:, None] * samples
            flat = (chosen[block] + place).flatten()
            first = controls.flatten(0, 1).index_select(0, flat).view(-1, rows, width)
            near = near.gather(1, chosen[block])
        double = 2 * some.gamma[:, None, None]
        for out, second, length in (
            (kernel[block], controls, some.near),
            (cross[block], some.patients, some.far),
        ):
            torch.bmm(first, second.mT, out=out)
            torch.addcmul(-length[:, None], out, double, out=out)
            out.sub_(near[:, :, None]).expm1_()
        if chosen is None:
            kernel[block].diagonal(dim1=1, dim2=2).zero_()
        else:
            kernel[block].scatter_(2, chosen[block][:, :, None], 0.0)
