"""GLA-GAN as a reader of the paper would write it: one path after the other, 3D convolutions."""

import itertools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GRIDS = {2: (2, 1, 1), 4: (2, 2, 1), 8: (2, 2, 2)}
WEIGHTS = (0.0448, 0.2856, 0.3001)
C1, C2 = 0.01**2, 0.03**2


class Block(nn.Module):
    """Residual block of two convolutions."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(before, after, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm3d(after)
        self.conv2 = nn.Conv3d(after, after, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm3d(after)
        self.shortcut: nn.Module = nn.Identity()
        if before != after:
            self.shortcut = nn.Sequential(
                nn.Conv3d(before, after, 1, bias=False), nn.BatchNorm3d(after)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Keep the grid."""
        out = F.leaky_relu(self.norm1(self.conv1(x)), 0.2, inplace=True)
        out = self.norm2(self.conv2(out))
        return F.leaky_relu(out + self.shortcut(x), 0.2, inplace=True)


class Generator(nn.Module):
    """Global path, K local paths, fusion."""

    def __init__(self, filters: list[int], patches: int = 4, **_: Any) -> None:
        super().__init__()
        widths = list(itertools.pairwise([1, *filters]))

        def path() -> nn.Sequential:
            return nn.Sequential(*(Block(a, b) for a, b in widths))

        self.grid = GRIDS[patches]
        self.whole = path()
        self.local = nn.ModuleList(path() for _ in range(patches))
        last = filters[-1]
        self.fusion = nn.Sequential(
            nn.Conv3d(2 * last, last, 3, padding=1, bias=False),
            nn.BatchNorm3d(last),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv3d(last, 1, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map an MRI to a PET."""
        sides = [size // n for size, n in zip(x.shape[2:], self.grid, strict=True)]
        local = x.new_zeros(len(x), self.fusion[1].num_features, *x.shape[2:])
        for path, place in zip(self.local, itertools.product(*map(range, self.grid)), strict=True):
            box = [slice(i * n, (i + 1) * n) for i, n in zip(place, sides, strict=True)]
            where = (slice(None), slice(None), *box)
            local[where] = path(x[where])
        return torch.sigmoid(self.fusion(torch.cat([self.whole(x), local], dim=1)))


class Discriminator(nn.Sequential):
    """Six convolutions; logits."""

    def __init__(self, filters: list[int], **_: Any) -> None:
        kernels, strides = (4, 4, 4, 4, 2, 2), (2, 2, 2, 2, 2, 1)
        layers: list[nn.Module] = []
        for i, (a, b) in enumerate(itertools.pairwise([1, *filters])):
            last = i == len(filters) - 1
            layers.append(nn.Conv3d(a, b, kernels[i], strides[i], int(kernels[i] > 2), bias=last))
            if not last:
                layers += [nn.BatchNorm3d(b), nn.LeakyReLU(0.2, inplace=True)]
        super().__init__(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Fill sides up to multiples of 32 and convolve."""
        lacking = [-side % 32 for side in reversed(x.shape[2:])]
        return super().forward(F.pad(x, [n for more in lacking for n in (0, more)]))


class Losses:
    """L1, MS-SSIM with a Gaussian filter by convolutions, squared error of regional means."""

    def __init__(self, weights: dict[str, Any], atlas: Tensor) -> None:
        plain = {k: w["weight"] if isinstance(w, dict) else w for k, w in weights.items()}
        self.weights = {name: float(w) for name, w in plain.items() if name != "adversarial"}
        self.labels = atlas.long().flatten()
        self.sizes = torch.bincount(self.labels)
        offsets = torch.arange(11, dtype=torch.float32, device=atlas.device) - 5
        window = torch.exp(-0.5 * (offsets / 1.5) ** 2)
        self.window = window / window.sum()

    def smooth(self, x: Tensor) -> Tensor:
        """Filter axis by axis where the window fits."""
        for axis in range(3):
            shape = [1] * 5
            shape[2 + axis] = 11
            x = F.conv3d(x, self.window.view(shape))
        return x

    def ssim(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return SSIM and contrast-structure of each volume."""
        mean_x, mean_y = self.smooth(x), self.smooth(y)
        var_x = self.smooth(x * x) - mean_x**2
        var_y = self.smooth(y * y) - mean_y**2
        both = self.smooth(x * y) - mean_x * mean_y
        contrast = (2 * both + C2) / (var_x + var_y + C2)
        luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
        return (luminance * contrast).mean((1, 2, 3, 4)), contrast.mean((1, 2, 3, 4))

    def ms_ssim(self, x: Tensor, y: Tensor) -> Tensor:
        """Return one less MS-SSIM over three scales."""
        product = torch.ones(len(x), device=x.device)
        for scale, weight in enumerate(WEIGHTS):
            similarity, contrast = self.ssim(x, y)
            last = scale == len(WEIGHTS) - 1
            product = product * (similarity if last else contrast).clamp_min(1e-6) ** weight
            if not last:
                x, y = F.avg_pool3d(x, 2), F.avg_pool3d(y, 2)
        return 1 - product.mean()

    def roi(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean over regions of the squared difference of their means."""
        difference = (x - y).flatten(1)
        sums = difference.new_zeros(len(x), len(self.sizes)).index_add(1, self.labels, difference)
        there = self.sizes > 0
        there[0] = False
        return (sums[:, there] / self.sizes[there]).square().mean()

    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum and its terms."""
        terms = {"l1": F.l1_loss(x, y), "ms_ssim": self.ms_ssim(x, y), "roi": self.roi(x, y)}
        total = sum(self.weights[name] * value for name, value in terms.items())
        return total, terms


class GlaGan:
    """Networks, optimisers and step.

    Parameters
    ----------
    entry
        The model's entry of the configuration.
    mask, atlas
        (X, Y, Z), on the device.
    """

    def __init__(self, entry: dict[str, Any], mask: Tensor, atlas: Tensor, steps: int) -> None:
        del steps
        settings = {key: dict(entry[key]) for key in ("generator", "discriminator")}
        device = mask.device
        self.generator = Generator(**_without_name(settings["generator"])).to(device)
        self.discriminator = Discriminator(**_without_name(settings["discriminator"])).to(device)
        self.networks = {"generator": self.generator, "discriminator": self.discriminator}
        self.losses = Losses(entry["losses"], atlas)
        self.adversarial = float(entry["losses"]["adversarial"])
        self.mask = mask
        training = entry["training"]
        rate, betas = training["learning_rate"], (training["beta1"], 0.999)
        self.optimisers = [
            torch.optim.Adam(network.parameters(), rate, betas)
            for network in self.networks.values()
        ]

    def step(self, batch: dict[str, Tensor]) -> dict[str, float]:
        """Train the discriminator, then the generator."""
        mri, real = batch["source"], batch["target"]
        of_generator, of_discriminator = self.optimisers
        fake = self.generator(mri) * self.mask
        bce = F.binary_cross_entropy_with_logits
        true, false = self.discriminator(real), self.discriminator(fake.detach())
        against = bce(true, torch.ones_like(true)) + bce(false, torch.zeros_like(false))
        of_discriminator.zero_grad()
        against.backward()
        of_discriminator.step()

        for parameter in self.discriminator.parameters():
            parameter.requires_grad = False
        judged = self.discriminator(fake)
        adversarial = bce(judged, torch.ones_like(judged))
        total, terms = self.losses(fake, real)
        total = total + self.adversarial * adversarial
        of_generator.zero_grad()
        total.backward()
        of_generator.step()
        for parameter in self.discriminator.parameters():
            parameter.requires_grad = True
        found = {"generator": total, "adversarial": adversarial, **terms, "discriminator": against}
        return {name: value.item() for name, value in found.items()}


def _without_name(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != "name"}
