"""Cycle-GAN as a reader would write it, in 3D for volumes and in 2D for triplets of slices."""

import itertools
import random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CONV = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
NORM = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}


class ResnetBlock(nn.Module):
    """Two convolutions and a skip."""

    def __init__(self, channels: int, dim: int, padding: str) -> None:
        super().__init__()
        kept: dict[str, Any] = {"padding": 1, "padding_mode": padding, "bias": False}
        self.body = nn.Sequential(
            CONV[dim](channels, channels, 3, **kept),
            NORM[dim](channels),
            nn.ReLU(inplace=True),
            CONV[dim](channels, channels, 3, **kept),
            NORM[dim](channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return x + self.body(x)


class Generator(nn.Module):
    """c7s1, downsampling, residual blocks, upsampling, c7s1, tanh."""

    def __init__(self, filters: list[int], blocks: int, kernel: int, dim: int, channels: int,
                 padding: str) -> None:  # fmt: skip
        super().__init__()
        levels = list(itertools.pairwise(filters))
        self.multiple = 2 ** len(levels)
        wide: dict[str, Any] = {"padding": kernel // 2, "padding_mode": padding}
        layers: list[nn.Module] = [
            CONV[dim](channels, filters[0], kernel, bias=False, **wide),
            NORM[dim](filters[0]),
            nn.ReLU(inplace=True),
        ]
        for a, b in levels:
            layers += [
                CONV[dim](a, b, 3, stride=2, padding=1, bias=False),
                NORM[dim](b),
                nn.ReLU(inplace=True),
            ]
        layers += [ResnetBlock(filters[-1], dim, padding) for _ in range(blocks)]
        for a, b in reversed(levels):
            layers += [
                TRANSPOSED[dim](b, a, 3, stride=2, padding=1, output_padding=1, bias=False),
                NORM[dim](a),
                nn.ReLU(inplace=True),
            ]
        layers.append(CONV[dim](filters[0], channels, kernel, **wide))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map intensities 0 to 1 to the same; sides are filled up where they cannot be halved."""
        sides = x.shape[2:]
        lacking = [-side % self.multiple for side in reversed(sides)]
        x = F.pad(x, [n for more in lacking for n in (0, more)])
        out = (torch.tanh(self.layers(2 * x - 1)) + 1) / 2
        return out[(..., *(slice(side) for side in sides))]


class Discriminator(nn.Module):
    """PatchGAN."""

    def __init__(self, filters: list[int], strides: list[int], dim: int, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        last = len(filters) - 1
        for i, (a, b) in enumerate(itertools.pairwise([channels, *filters])):
            normed = 0 < i < last
            layers.append(CONV[dim](a, b, 4, strides[i], padding=1, bias=not normed))
            if normed:
                layers.append(NORM[dim](b))
            if i < last:
                layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Score parts of an image of intensities 0 to 1."""
        return self.layers(2 * x - 1)


class Pool:
    """Earlier images, as in the code of Cycle-GAN."""

    def __init__(self, size: int) -> None:
        self.size, self.images = size, []

    def query(self, images: Tensor) -> Tensor:
        """Return as many images as come."""
        shown = []
        for image in images.detach():
            if len(self.images) < self.size:
                self.images.append(image.clone())
                shown.append(image)
            elif random.random() < 0.5:
                place = random.randrange(self.size)
                shown.append(self.images[place])
                self.images[place] = image.clone()
            else:
                shown.append(image)
        return torch.stack(shown)


class CycleGan:
    """Four networks, two optimisers and the step; parameters as for `gla_gan.GlaGan`."""

    def __init__(self, entry: dict[str, Any], mask: Tensor, atlas: Tensor, steps: int) -> None:
        del atlas, steps
        g, d, training = entry["generator"], entry["discriminator"], entry["training"]
        flat = g["name"] == "resnet"  # whose defaults are for slices
        dim, channels = g.get("dimensions", 2 if flat else 3), g.get("channels", 3 if flat else 1)
        padding = g.get("padding", "reflect" if flat else "zeros")
        strides = d.get("strides", (2, 2, 2, 1, 1))
        device = mask.device

        def generator() -> Generator:
            return Generator(g["filters"], g["blocks"], g["kernel"], dim, channels, padding)

        def discriminator() -> Discriminator:
            return Discriminator(d["filters"], strides, dim, channels)

        self.there, self.back = generator().to(device), generator().to(device)
        self.of_pet, self.of_mri = discriminator().to(device), discriminator().to(device)
        self.networks = {
            "generator": self.there,
            "back": self.back,
            "pet_discriminator": self.of_pet,
            "mri_discriminator": self.of_mri,
        }
        rate, betas = training["learning_rate"], (training["beta1"], 0.999)
        self.for_generators = torch.optim.Adam(
            itertools.chain(self.there.parameters(), self.back.parameters()), rate, betas
        )
        self.for_discriminators = torch.optim.Adam(
            itertools.chain(self.of_pet.parameters(), self.of_mri.parameters()), rate, betas
        )
        self.pools = [Pool(entry.get("pool", 50)) for _ in range(2)]
        self.weights, self.mask = entry["losses"], mask

    def freeze(self, frozen: bool) -> None:
        """Spare the discriminators their gradients."""
        for network in (self.of_pet, self.of_mri):
            for parameter in network.parameters():
                parameter.requires_grad = not frozen

    def step(self, batch: dict[str, Tensor]) -> dict[str, float]:
        """Train the generators, then the discriminators."""
        mask = batch.get("mask", self.mask)
        mri, pet = batch["source"] * mask, batch["target"]
        self.freeze(True)
        fake_pet, fake_mri = self.there(mri) * mask, self.back(pet) * mask
        true, false = self.of_pet(fake_pet), self.of_mri(fake_mri)
        terms = {
            "adversarial": F.mse_loss(true, torch.ones_like(true))
            + F.mse_loss(false, torch.ones_like(false)),
            "cycle": F.l1_loss(self.back(fake_pet) * mask, mri)
            + F.l1_loss(self.there(fake_mri) * mask, pet),
        }
        if self.weights.get("l2"):
            terms["l2"] = F.mse_loss(fake_pet, pet) + F.mse_loss(fake_mri, mri)
        total = sum(self.weights[name] * value for name, value in terms.items())
        self.for_generators.zero_grad()
        total.backward()
        self.for_generators.step()

        self.freeze(False)
        shown_pet, shown_mri = self.pools[0].query(fake_pet), self.pools[1].query(fake_mri)
        self.for_discriminators.zero_grad()
        against = 0.0
        for judge, real, fake in ((self.of_pet, pet, shown_pet), (self.of_mri, mri, shown_mri)):
            true, false = judge(real), judge(fake)
            loss = 0.5 * (
                F.mse_loss(true, torch.ones_like(true)) + F.mse_loss(false, torch.zeros_like(false))
            )
            loss.backward()
            against += loss.item()
        self.for_discriminators.step()
        found = {name: value.item() for name, value in {"generator": total, **terms}.items()}
        return {**found, "discriminator": against}
