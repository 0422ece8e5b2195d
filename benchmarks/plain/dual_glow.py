"""DUAL-GLOW (unconditional) as a reader of the paper and its code would write it."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RATE = 3.0  # factor on stored log-scales, as in the reference code
BINS = 256
SMALLEST = 1e-3  # of a coupling's scale


def squeeze(x: Tensor) -> Tensor:
    """Move blocks of 2x2x2 voxels into channels."""
    b, c, i, j, k = x.shape
    x = x.view(b, c, i // 2, 2, j // 2, 2, k // 2, 2).permute(0, 1, 3, 5, 7, 2, 4, 6)
    return x.reshape(b, c * 8, i // 2, j // 2, k // 2)


class ActNorm(nn.Module):
    """Shift and scale of each channel; set from data before (here: copied)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(channels))
        self.log_scale = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise."""
        return (x + self.shift.view(-1, 1, 1, 1)) * (RATE * self.log_scale).exp().view(-1, 1, 1, 1)


class Conv(nn.Module):
    """3x3x3 convolution of a padded volume with a channel that marks the padding."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(after, before, 3, 3, 3))
        self.edge = nn.Parameter(torch.zeros(after, 1, 3, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Keep the grid."""
        mark = F.pad(torch.zeros_like(x[:, :1]), (1,) * 6, value=1.0)
        x = torch.cat([F.pad(x, (1,) * 6), mark], dim=1)
        return F.conv3d(x, torch.cat([self.weight, self.edge], dim=1))


class Hidden3(ActNorm):
    """Convolution, actnorm, ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(after)
        self.conv = Conv(before, after)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the grid."""
        return F.relu(super().forward(self.conv(x)))


class Hidden1(ActNorm):
    """1x1x1 convolution, actnorm, ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(after)
        self.weight = nn.Parameter(torch.zeros(after, before, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Keep the grid."""
        return F.relu(super().forward(F.conv3d(x, self.weight)))


class Coupling(nn.Module):
    """Affine coupling; its last convolution starts at zero."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(channels))
        self.log_scale = nn.Parameter(torch.zeros(channels))
        self.hidden = nn.Sequential(Hidden3(channels // 2, width), Hidden1(width, width))
        self.last = Conv(width, channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the volume and the log-determinant."""
        a, b = x.chunk(2, dim=1)
        h = self.last(self.hidden(a)) + self.shift.view(-1, 1, 1, 1)
        h = h * (RATE * self.log_scale).exp().view(-1, 1, 1, 1)
        t, s = h.chunk(2, dim=1)
        s = (SMALLEST + (1 - SMALLEST) * torch.sigmoid(s + 2)).log()
        return torch.cat([a, b * s.exp() + t], dim=1), s.sum((1, 2, 3, 4))


class Step(nn.Module):
    """Actnorm, invertible 1x1x1 convolution, coupling."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.actnorm = ActNorm(channels)
        self.rotation = nn.ParameterList([torch.zeros(channels, channels)])
        self.coupling = Coupling(channels, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the volume and the log-determinant."""
        voxels, matrix = math.prod(x.shape[2:]), self.rotation[0]
        x = F.conv3d(self.actnorm(x), matrix[:, :, None, None, None])
        x, of_coupling = self.coupling(x)
        of_matrix = torch.linalg.slogdet(matrix.double()).logabsdet.float()
        of_norm = (RATE * self.actnorm.log_scale).sum()
        return x, of_coupling + voxels * (of_norm + of_matrix)


class Flow(nn.Module):
    """Levels of steps; half of the channels leaves after each but the last."""

    def __init__(self, depth: list[int], width: list[int]) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            nn.ModuleList(Step(8 * 4**i, w) for _ in range(d))
            for i, (d, w) in enumerate(zip(depth, width, strict=True))
        )

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the codes and the log-determinant."""
        codes, total = [], x.new_zeros(len(x))
        for i, level in enumerate(self.levels):
            x = squeeze(x)
            for step in level:
                x, of_step = step(x)
                total = total + of_step
            if i < len(self.levels) - 1:
                x, out = x.chunk(2, dim=1)
                codes.append(out)
        return [*codes, x], total


def relation(channels: int, width: int, layers: int, kernel: int) -> nn.Sequential:
    """Network from a level's MRI code to mean and log sigma of its PET code."""
    widths = [channels, *[width] * (layers - 1), 2 * channels]
    made: list[nn.Module] = []
    for i in range(layers):
        side = kernel if i == 0 else 3
        made.append(nn.Conv3d(widths[i], widths[i + 1], side, padding=side // 2))
        if i < layers - 1:
            made.append(nn.LeakyReLU(0.2, inplace=True))
    return nn.Sequential(*made)


class Networks(nn.Module):
    """Two flows and their relation."""

    def __init__(self, depth: list[int], width: list[int], relation_: dict[str, int]) -> None:
        super().__init__()
        self.mri, self.pet = Flow(depth, width), Flow(depth, width)
        widths = [8 * 4**i for i in range(len(depth))]
        channels = [*(w // 2 for w in widths[:-1]), widths[-1]]
        self.relation = nn.ModuleList(relation(c, **relation_) for c in channels)


class DualGlow:
    """Networks, AdaMax and step; parameters as for `gla_gan.GlaGan`."""

    def __init__(self, entry: dict[str, Any], mask: Tensor, atlas: Tensor, steps: int) -> None:
        del atlas
        g, training = entry["generator"], entry["training"]
        # at paper size no position has a sigma of its own
        sizes = {name: g["relation"][name] for name in ("width", "layers", "kernel")}
        self.net = Networks(g["depth"], g["width"], sizes).to(mask.device)
        self.networks = {"generator": self.net}
        beta2 = 1 - 1 / steps if training["beta2"] is None else training["beta2"]
        betas = (training["beta1"], beta2)
        self.optimiser = torch.optim.Adamax(self.net.parameters(), training["learning_rate"], betas)
        self.weight = entry["losses"].get("mri", 0.001)

    def step(self, batch: dict[str, Tensor]) -> dict[str, float]:
        """Train on the likelihood of a pair."""
        mri, pet = batch["source"], batch["target"]
        noise = [torch.rand(v.shape, device=v.device) / BINS for v in (mri, pet)]
        mri_codes, of_mri = self.net.mri(mri + noise[0] - 0.5)
        pet_codes, of_pet = self.net.pet(pet + noise[1] - 0.5)
        for code in mri_codes:
            of_mri = of_mri - 0.5 * (code**2 + math.log(2 * math.pi)).sum((1, 2, 3, 4))
        for network, given, code in zip(self.net.relation, mri_codes, pet_codes, strict=True):
            mean, log_sigma = network(given).chunk(2, dim=1)
            log_sigma = 5 * torch.tanh(log_sigma / 5)
            centred = (code - mean) / log_sigma.exp()
            density = -0.5 * (centred**2 + math.log(2 * math.pi)) - log_sigma
            of_pet = of_pet + density.sum((1, 2, 3, 4))
        bits = [
            (math.log(BINS) - x / mri[0].numel()).mean() / math.log(2) for x in (of_pet, of_mri)
        ]
        total = bits[0] + self.weight * bits[1]
        self.optimiser.zero_grad()
        total.backward()
        self.optimiser.step()
        return {"objective": total.item(), "pet": bits[0].item(), "mri": bits[1].item()}
