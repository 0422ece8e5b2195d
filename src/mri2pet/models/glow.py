"""Multi-scale 3D Glow: an invertible network with an exact log-determinant (part D2).

Each level squeezes, takes a number of steps (actnorm, invertible 1x1x1 convolution, affine
coupling; eq. 3) and lets half of its channels out as a latent code; the other half goes on to the
next level (Fig. 3 of DUAL-GLOW). One channel and four levels give 8, 32, 128 and 512 channels.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mri2pet.errors import InputError
from mri2pet.models.coupling import AffineCoupling
from mri2pet.models.glow_layers import ActNorm, InvertibleConv, haar, squeeze, unsqueeze

WORTH_SPARING = 2**22  # bytes that a step keeps, below which computing it twice spares nothing


class FlowStep(nn.Module):
    """One step of the flow: actnorm, invertible 1x1x1 convolution, affine coupling.

    Parameters
    ----------
    channels
        C, even.
    width
        Of the coupling's hidden layers.
    lu
        Parametrise the 1x1x1 convolution by its LU decomposition.
    start
        Matrix that the convolution starts from; None for a random orthogonal one.
    """

    def __init__(
        self, channels: int, width: int, lu: bool = False, start: Tensor | None = None
    ) -> None:
        super().__init__()
        self.actnorm = ActNorm(channels)
        self.conv = InvertibleConv(channels, lu, start)
        self.coupling = AffineCoupling(channels, width)

    def forward(
        self, x: Tensor, log_determinant: Tensor, of_conv: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Map x (B, C, X, Y, Z) to the same shape; add this step's log-determinant to that so far.

        `of_conv` is the convolution's log |det| where it is known already.
        """
        x, first = self.actnorm(x)
        x, second = self.conv(x, of_conv)
        x, third = self.coupling(x)
        return x, log_determinant + first + second + third

    def inverse(self, y: Tensor) -> Tensor:
        """Return x."""
        return self.actnorm.inverse(self.conv.inverse(self.coupling.inverse(y)))


class FlowLevel(nn.Module):
    """The steps of one level.

    Parameters
    ----------
    channels, width, lu
        Of each step.
    depth
        Number of steps.
    checkpointing
        Keep only the steps' inputs for backpropagation and compute the rest again (Chen 2016, as
        the paper does): the same gradients from less memory, at the price of a second forward pass.
        Steps that keep less than `WORTH_SPARING` are not computed twice.
    wavelets
        As for `Glow`.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        depth: int,
        lu: bool = False,
        checkpointing: bool = False,
        wavelets: bool = False,
    ) -> None:
        super().__init__()
        self.lu = lu
        self.width = width
        self.checkpointing = checkpointing
        starts: list[Tensor | None] = [None] * depth
        if wavelets:
            starts = [haar(channels), *(torch.eye(channels) for _ in range(depth - 1))]
        self.steps = nn.ModuleList(FlowStep(channels, width, lu, start) for start in starts)

    def forward(self, x: Tensor, log_determinant: Tensor) -> tuple[Tensor, Tensor]:
        """Run the steps; add their log-determinants to that so far."""
        kept = x.element_size() * x.numel() * (3 + 2 * self.width / x.shape[1])  # of one step
        sparing = self.checkpointing and kept > WORTH_SPARING
        for step, of_conv in zip(self.steps, self._of_convs(), strict=True):
            if sparing and torch.is_grad_enabled():
                x, log_determinant = checkpoint(
                    *(step, x, log_determinant, of_conv),
                    use_reentrant=False,
                    preserve_rng_state=False,  # nothing random happens in a step
                )
            else:
                x, log_determinant = step(x, log_determinant, of_conv)
        return x, log_determinant

    def inverse(self, y: Tensor) -> Tensor:
        """Return x."""
        for step in reversed(self.steps):
            y = step.inverse(y)
        return y

    def _of_convs(self) -> Sequence[Tensor | None]:
        """Return log |det| of all matrices in one batched decomposition (float64)."""
        if self.lu or not self.steps:
            return [None] * len(self.steps)
        matrices = torch.stack([step.conv.weight for step in self.steps])
        return torch.linalg.slogdet(matrices.double()).logabsdet.to(matrices.dtype).unbind()


class Glow(nn.Module):
    """Flow from a volume to latent codes, one a level, and back.

    Parameters
    ----------
    depth
        Steps of each level; its length is the number of levels. The paper's is 16, 16, 16, 16.
    width
        Width of the couplings' hidden layers at each level. The reference code's is 512.
    lu
        Parametrise the 1x1x1 convolutions by their LU decomposition.
    checkpointing
        Save memory in training (`FlowLevel`).
    wavelets
        Let each level's first 1x1x1 convolution start as a Haar transform and the others as the
        identity, instead of random orthogonal matrices (the reference code). The coarse image then
        goes up to the top code and details are let out below, from the first step of training on.

    Attributes
    ----------
    channels
        Channels of each level's latent code: half of the level's, at the last level all.

    Raises
    ------
    InputError
        If there is no level, the lists differ in length, or a number is below 1.
    """

    def __init__(
        self,
        depth: Sequence[int],
        width: Sequence[int],
        lu: bool = False,
        checkpointing: bool = False,
        wavelets: bool = False,
    ) -> None:
        super().__init__()
        if not depth or len(depth) != len(width):
            raise InputError(
                "flow: depth and width each need one number a level, found "
                f"{list(depth)} and {list(width)}"
            )
        if min(*depth, *width) < 1:
            raise InputError(f"flow: depth {list(depth)} and width {list(width)} must be positive")
        widths = [8 * 4**level for level in range(len(depth))]
        self.levels = nn.ModuleList(
            FlowLevel(*sizes, lu, checkpointing, wavelets)
            for sizes in zip(widths, width, depth, strict=True)
        )
        self.channels = [*(channels // 2 for channels in widths[:-1]), widths[-1]]

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Map a volume to its latent codes.

        Parameters
        ----------
        x
            (B, 1, X, Y, Z), the sides divisible by 2 ** levels.

        Returns
        -------
        latents : list of Tensor
            The half that left level i, (B, channels[i], X / 2^(i+1), ...), and what came out of
            the last level. Together as many numbers as x has voxels.
        log_determinant : Tensor
            log |det(dz/dx)| (eq. 5), (B,), at least float32.

        Raises
        ------
        InputError
            If the sides cannot be halved often enough.
        """
        if any(size % 2 ** len(self.levels) for size in x.shape[2:]):
            raise InputError(
                f"flow: {len(self.levels)} levels halve a volume as often; "
                f"{tuple(x.shape[2:])} is not divisible by {2 ** len(self.levels)}"
            )
        if x.dtype in (torch.float16, torch.bfloat16):
            x = x.float()
        log_determinant = x.new_zeros(len(x))
        latents = []
        for level in self.levels[:-1]:
            x, log_determinant = level(squeeze(x), log_determinant)
            x, out = x.chunk(2, dim=1)
            latents.append(out)
        x, log_determinant = self.levels[-1](squeeze(x), log_determinant)
        return [*latents, x], log_determinant

    def inverse(self, latents: Sequence[Tensor]) -> Tensor:
        """Map latent codes, as `forward` returns them, to the volume (B, 1, X, Y, Z)."""
        *lower, x = latents
        x = unsqueeze(self.levels[-1].inverse(x))
        for level, out in zip(reversed(self.levels[:-1]), reversed(lower), strict=True):
            x = unsqueeze(level.inverse(torch.cat([x, out], dim=1)))
        return x


def gaussian_log_density(
    z: Tensor, mean: Tensor | None = None, log_sigma: Tensor | None = None
) -> Tensor:
    """Log-density of a latent code under a diagonal Gaussian (eq. 6).

    Parameters
    ----------
    z
        (B, C, X, Y, Z).
    mean, log_sigma
        Of the same shape, or one that broadcasts to it; None for those of N(0, I).

    Returns
    -------
    Tensor
        (B,), summed over all else in z's precision, natural logarithm.
    """
    centred = z if mean is None else z - mean
    if log_sigma is None:
        log_density = -0.5 * centred.square()
    else:
        log_density = -0.5 * (centred * (-log_sigma).exp()).square() - log_sigma
    return log_density.flatten(1).sum(1) - 0.5 * math.log(2 * math.pi) * z[0].numel()
