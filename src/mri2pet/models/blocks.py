"""Parts that several architectures share."""

import itertools
import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.conv import Conv3x3x3
from mri2pet.models.norm import CHANNELS_LAST, BatchNorm, normalised

SMALL = 0.2  # of a residual block's own part at the start
CONVOLUTIONS = nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d
LEAK = 0.2  # slope of LeakyReLU; the papers name DCGAN (Radford 2016), which uses 0.2


class ResidualBlock(nn.Module):
    """Basic residual block (He 2016) in 3D: two 3x3x3 convolutions and a skip connection.

    Convolution, batch norm, LeakyReLU, convolution, batch norm; added to the input (through a
    1x1x1 convolution and batch norm where the width changes); LeakyReLU.

    Parameters
    ----------
    channels_in, channels_out
        Width before and after; the grid stays as it is (stride 1).
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        # No bias before batch norm: its own shift takes that part.
        self.body = nn.Sequential(
            Conv3x3x3(channels_in, channels_out, bias=False),
            BatchNorm(channels_out),
            nn.LeakyReLU(LEAK, inplace=True),
            Conv3x3x3(channels_out, channels_out, bias=False),
            BatchNorm(channels_out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.Conv3d(channels_in, channels_out, 1, bias=False),
                BatchNorm(channels_out),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels_in, X, Y, Z) to (B, channels_out, X, Y, Z)."""
        first, norm, _, second, last = self.body
        features = second(normalised(norm, first(x), LEAK))
        return normalised(last, features, LEAK, added=self.shortcut(x))


class ResidualPath(nn.Sequential):
    """Residual blocks in a row, e.g. of 64, 64, 128 and 64 filters.

    Parameters
    ----------
    channels_in
        Width of the input.
    filters
        Width of each block.
    """

    def __init__(self, channels_in: int, filters: Sequence[int]) -> None:
        widths = [channels_in, *filters]
        super().__init__(*(ResidualBlock(a, b) for a, b in itertools.pairwise(widths)))


def initialise(module: nn.Module) -> None:
    """Draw convolution weights after He (2015) for LeakyReLU; biases start at zero.

    Residual blocks start near the identity, by a small weight of their last norm (after Goyal
    2017, who takes zero), which trains faster.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv3d | nn.ConvTranspose3d):
            nn.init.kaiming_normal_(layer.weight, a=LEAK, nonlinearity="leaky_relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, ResidualBlock):
            nn.init.constant_(layer.body[-1].weight, SMALL)


@torch.no_grad()
def start_at(layer: nn.Conv2d | nn.Conv3d, value: float, shrink: float = 0.1) -> None:
    """Let the last convolution give nearly the same everywhere before training.

    A network whose sigmoid starts at the targets' mean has not to find it first, which takes most
    of a short training.

    Parameters
    ----------
    layer
        With a bias.
    value
        Of the bias, i.e. the logit of the mean where a sigmoid follows.
    shrink
        Of the weights.
    """
    layer.bias.fill_(value)
    layer.weight.mul_(shrink)


def initialise_normal(module: nn.Module, std: float = 0.02) -> None:
    """Draw convolution weights from N(0, std), as DCGAN and Cycle-GAN do; biases start at zero."""
    for layer in module.modules():
        if isinstance(layer, CONVOLUTIONS):
            nn.init.normal_(layer.weight, std=std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def memory_format_of(volumes: Tensor) -> torch.memory_format:
    """Return how volumes (B, C, X, Y, Z) or slices (B, C, X, Y) lie in memory."""
    last = CHANNELS_LAST[volumes.ndim]
    return last if volumes.is_contiguous(memory_format=last) else torch.contiguous_format


def split_grid(volume: Tensor, grid: Sequence[int]) -> list[Tensor]:
    """Cut volumes into disjoint cuboids that cover them, the last axis running fastest.

    Parameters
    ----------
    volume
        (B, C, X, Y, Z).
    grid
        Number of pieces along X, Y, Z; each must divide the size of its axis.

    Returns
    -------
    list of Tensor
        prod(grid) views of shape (B, C, X / grid[0], Y / grid[1], Z / grid[2]).

    Raises
    ------
    InputError
        If the grid does not divide the volume.
    """
    shape = volume.shape[2:]
    if any(size % parts for size, parts in zip(shape, grid, strict=True)):
        raise InputError(
            f"a volume of {tuple(shape)} voxels cannot be cut evenly into {tuple(grid)}; choose "
            "another grid, or fewer `patches`"
        )
    pieces = [volume]
    for axis, parts in enumerate(grid, start=2):
        pieces = [part for piece in pieces for part in piece.chunk(parts, axis)]
    return pieces


def join_grid(pieces: Sequence[Tensor], grid: Sequence[int]) -> Tensor:
    """Put cuboids back in their places: the inverse of `split_grid`.

    Parameters
    ----------
    pieces
        prod(grid) tensors (B, C, x, y, z) in the order of `split_grid`.
    grid
        Number of pieces along X, Y, Z.

    Returns
    -------
    Tensor
        (B, C, x * grid[0], y * grid[1], z * grid[2]).
    """
    if len(pieces) != math.prod(grid):
        raise ValueError(f"{len(pieces)} pieces do not fill a grid of {tuple(grid)}")
    return join_channels(torch.cat(list(pieces), dim=1), grid)


def join_channels(pieces: Tensor, grid: Sequence[int]) -> Tensor:
    """Put cuboids back in their places that lie side by side as channels, in one copy.

    Parameters
    ----------
    pieces
        (B, prod(grid) * C, x, y, z), in the order of `split_grid`.
    grid
        Number of pieces along X, Y, Z.

    Returns
    -------
    Tensor
        (B, C, x * grid[0], y * grid[1], z * grid[2]).
    """
    batch, _, *sides = pieces.shape
    layout = memory_format_of(pieces)
    parts = pieces.view(batch, *grid, -1, *sides).permute(0, 4, 1, 5, 2, 6, 3, 7)
    shape = (count * side for count, side in zip(grid, sides, strict=True))
    return parts.reshape(batch, -1, *shape).contiguous(memory_format=layout)


def block_means(x: Tensor, blocks: int) -> Tensor:
    """Mean over `blocks` equal parts of each axis, which may cut through voxels.

    Parameters
    ----------
    x
        (B, C, X, Y, Z), of any grid.
    blocks
        Parts along each axis.

    Returns
    -------
    Tensor
        (B, C, blocks, blocks, blocks).
    """
    for axis in (2, 3, 4):
        x = torch.movedim(torch.movedim(x, axis, -1) @ _shares(x, axis, blocks), -1, axis)
    return x


def _shares(x: Tensor, axis: int, blocks: int) -> Tensor:
    """Share (size, blocks) of each block that each voxel along the axis fills."""
    size = x.shape[axis]
    voxel = torch.arange(size, device=x.device)[:, None] / size
    block = torch.arange(blocks, device=x.device)[None] / blocks
    overlap = torch.minimum(voxel + 1 / size, block + 1 / blocks) - torch.maximum(voxel, block)
    return (overlap.clamp_min(0) * blocks).to(x.dtype)


def repeated(tensors: Iterable[Tensor], times: int) -> tuple[Tensor, ...]:
    """Return tensors (B, ...) as (B * times, ...), each row as often, one after the other."""
    return tuple(tensor.repeat_interleave(times, 0) for tensor in tensors)
