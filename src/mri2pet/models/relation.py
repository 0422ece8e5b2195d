"""From MRI codes to the distribution of PET codes: part D3 of DUAL-GLOW (eq. 6 and 17)."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import LEAK
from mri2pet.models.conv import Conv3x3x3
from mri2pet.models.glow import squeeze
from mri2pet.models.voxel_norm import SMOOTHING

LOG_SIGMA_LIMIT = 5.0  # log sigma stays within +-5, so that no density overflows

SMALLEST_VARIANCE = 1e-6  # of a code's position, before it has a sigma of its own

EMBEDDING_RATE = 10.0  # factor on the embedding of side information: it learns as much faster

Gaussian = tuple[Tensor, Tensor]  # mean and log sigma, each of the code's shape


class RelationNetwork(nn.Module):
    """3D convolutional network from the MRI code of a level to mean and log sigma of the PET code.

    Parameters
    ----------
    channels
        Of the MRI code and of the PET code.
    width
        Of the hidden layers.
    layers
        Convolutions in all; 1 makes it linear.
    kernel
        Side of the first convolution's kernel, odd; the others have 3.
    side
        Numbers that describe a person (`SideInformation.numbers`); 0 for none.
    grid
        X, Y, Z of the code, for an embedding of the side information that differs from voxel to
        voxel; None for one that is the same at all, as in the reference code.
    side_channels
        Show the first convolution each of these numbers as one more channel, constant over the
        code: what follows from the MRI may then depend on the person, and the other way round. It
        needs a hidden layer.
    own_sigma
        Give each position of the code a sigma of its own, set once by `Relation.fit_sigma`; the
        network's is a factor on it. Needs `grid`. Not in the paper: with one sigma for all, air
        and brain share it until the network has learnt which is which, and a few people do not
        teach that.

    Notes
    -----
    The paper gives no layers. The reference code has one 5x5x5 convolution with LeakyReLU (0.2)
    and takes its output for the mean, sigma being one. Here a further convolution follows, for a
    mean of either sign and, as the paper has it, sigma. It starts at zero: training begins with
    N(0, I). Side information is embedded by a linear layer, also from zero, and shifts the mean,
    as in the reference code. It learns faster than the rest (`EMBEDDING_RATE`), lest the
    convolutions fit person by person what the side information explains.
    """

    base: Tensor | None

    def __init__(
        self,
        channels: int,
        width: int = 256,
        layers: int = 2,
        kernel: int = 5,
        side: int = 0,
        grid: Sequence[int] | None = None,
        side_channels: bool = False,
        own_sigma: bool = False,
    ) -> None:
        super().__init__()
        if layers < 1 or width < 1 or kernel < 1 or kernel % 2 == 0:
            raise InputError(
                f"relation: layers {layers} and width {width} must be positive, kernel {kernel} odd"
            )
        if side_channels and layers < 2:
            raise InputError("relation: side_channels needs layers of 2 or more, to interact in")
        self.side, self.side_channels = side, bool(side) and side_channels
        shown = channels + (side if self.side_channels else 0)
        widths = [shown, *[width] * (layers - 1), 2 * channels]
        convolutions: list[nn.Module] = []
        for i in range(layers):
            size = kernel if i == 0 else 3
            if size == 3:
                convolutions.append(Conv3x3x3(widths[i], widths[i + 1]))
            else:
                own = nn.Conv3d(widths[i], widths[i + 1], size, padding=size // 2)
                convolutions.append(own)
            if i < layers - 1:
                nn.init.kaiming_normal_(convolutions[-1].weight, a=LEAK)
                nn.init.zeros_(convolutions[-1].bias)
                convolutions.append(nn.LeakyReLU(LEAK, inplace=True))
        self.layers = nn.Sequential(*convolutions)
        if own_sigma and grid is None:
            raise InputError("relation: own_sigma needs the volumes' grid")
        base = torch.zeros(1, channels, *grid) if own_sigma and grid is not None else None
        self.register_buffer("base", base)
        self.embedded = (channels, *(grid or (1, 1, 1)))
        self.embedding = nn.Linear(side, math.prod(self.embedded)) if side else None
        for last in (self.layers[-1], self.embedding):
            if last is not None:
                nn.init.zeros_(last.weight)
                nn.init.zeros_(last.bias)

    def forward(self, code: Tensor, side: Tensor | None = None) -> Gaussian:
        """Map an MRI code (B, C, X, Y, Z), and side information (B, side), to mean, log sigma.

        No side information stands for zeros, a person of whom nothing is known.
        """
        shown = code
        if self.side:
            side = code.new_zeros(len(code), self.side) if side is None else side.to(code.dtype)
            if self.side_channels:
                everywhere = side[..., None, None, None].expand(-1, -1, *code.shape[2:])
                shown = torch.cat([code, everywhere], dim=1)
        mean, log_sigma = self.layers(shown).to(code.dtype).chunk(2, dim=1)
        if self.embedding is not None:
            shift = self.embedding(side).to(code.dtype)
            mean = mean + EMBEDDING_RATE * shift.reshape(-1, *self.embedded)
        log_sigma = LOG_SIGMA_LIMIT * torch.tanh(log_sigma / LOG_SIGMA_LIMIT)
        return mean, log_sigma if self.base is None else log_sigma + self.base


class Relation(nn.Module):
    """One relation network a level: p(z_p | z_m), or p(z_p | z'_m, c) with side information.

    Parameters
    ----------
    channels
        Of the codes, level by level (`Glow.channels`).
    side
        Numbers that describe a person; 0 for none.
    side_channels
        As for `RelationNetwork`, of the top code's network.
    mri_top
        With side information: give the top PET code the MRI's top code as well. The paper does
        not (eq. 17: z'_m is without h_k), the reference code does.
    grid
        X, Y, Z of the volumes, for an embedding that knows where in the brain it is; or None.
    width, layers, kernel, own_sigma
        Of each network (`RelationNetwork`).

    Raises
    ------
    InputError
        If there is side information and one level only: there is then no z'_m.

    Notes
    -----
    Side information conditions the top code alone: "only the highest level of DUAL-GLOW should
    be affected by this". What the top PET code sees of the MRI instead of h_k is not printed
    beyond eq. 17; here it is the last code of z'_m, squeezed, which has the top code's shape.
    """

    def __init__(
        self,
        channels: Sequence[int],
        side: int = 0,
        mri_top: bool = False,
        side_channels: bool = False,
        grid: Sequence[int] | None = None,
        width: int = 256,
        layers: int = 2,
        kernel: int = 5,
        own_sigma: bool = False,
    ) -> None:
        super().__init__()
        self.from_lower = bool(side) and not mri_top
        if self.from_lower and len(channels) < 2:
            raise InputError("dual_glow: side information needs two levels or more")
        *below, top = channels
        grids: list[list[int] | None] = [None] * len(channels)
        if grid is not None:
            levels = range(1, len(channels) + 1)
            grids = [[size // 2**level for size in grid] for level in levels]
        common = {"width": width, "layers": layers, "kernel": kernel, "own_sigma": own_sigma}
        self.networks = nn.ModuleList(
            RelationNetwork(count, grid=own, **common)
            for count, own in zip(below, grids, strict=False)
        )
        told = {"side": side, "side_channels": side_channels}
        self.networks.append(RelationNetwork(top, grid=grids[-1], **common, **told))

    def forward(self, mri: Sequence[Tensor], side: Tensor | None = None) -> list[Gaussian]:
        """Return mean and log sigma of the PET code at each level.

        Parameters
        ----------
        mri
            The MRI's codes.
        side
            (B, side) or None, which stands for a person of whom nothing is known.
        """
        *lower, top = mri
        source = squeeze(lower[-1]) if self.from_lower else top
        *below, last = self.networks
        priors = [network(code) for network, code in zip(below, lower, strict=True)]
        return [*priors, last(source, side)]

    @torch.no_grad()
    def fit_sigma(self, codes: Sequence[Tensor]) -> None:
        """Set each position's sigma from PET codes (N, C, X, Y, Z) of training people.

        Of networks with a sigma of each position (`own_sigma`); squares are averaged over 3x3x3
        positions: of a few volumes, one position's own says little.
        """
        for network, code in zip(self.networks, codes, strict=True):
            if network.base is not None:
                pooled = code.square().mean(0, keepdim=True)
                if min(code.shape[2:]) >= SMOOTHING:
                    pooled = nn.functional.avg_pool3d(
                        *(pooled, SMOOTHING), stride=1, padding=1, count_include_pad=False
                    )
                network.base.copy_(0.5 * pooled.clamp_min(SMALLEST_VARIANCE).log())


def draw_code(
    mean: Tensor,
    log_sigma: Tensor,
    temperature: float | Tensor,
    generator: torch.Generator | None,
) -> Tensor:
    """Draw a code from its Gaussian, sigma times a temperature (0: the mean)."""
    noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)
    return mean + temperature * log_sigma.exp() * noise
