"""The IXI report's GAN of patches as a reader would write it."""

import itertools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def generator(filters: list[int], kernels: list[int], momentum: float = 0.1, **_: Any) -> nn.Module:
    """Nine dilated convolutions of one resolution."""
    layers: list[nn.Module] = []
    last = len(filters) - 1
    for i, (a, b) in enumerate(itertools.pairwise([1, *filters])):
        step = 1 if i in (0, last) else 2
        side = kernels[i]
        layers.append(nn.Conv3d(a, b, side, padding=step * (side // 2), dilation=step, bias=False))
        if i < last:
            layers += [nn.BatchNorm3d(b, 1e-3, momentum), nn.LeakyReLU(0.3)]
    return nn.Sequential(*layers)


def discriminator(
    filters: list[int], dense: list[int], momentum: float = 0.1, patch: int = 32, **_: Any
) -> nn.Module:
    """Four convolutions with pooling, three dense layers; logits."""
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise([2, *filters]):
        layers += [
            nn.Conv3d(a, b, 3, padding=1),
            nn.BatchNorm3d(b, 1e-3, momentum),
            nn.LeakyReLU(0.3),
            nn.MaxPool3d(2),
        ]
    layers.append(nn.Flatten())
    width = filters[-1] * (patch // 2 ** len(filters)) ** 3
    for after in dense:
        layers += [nn.Linear(width, after), nn.LeakyReLU(0.3)]
        width = after
    return nn.Sequential(*layers, nn.Linear(width, 1))


def gradient_difference(x: Tensor, y: Tensor) -> Tensor:
    """Sum of the squared differences of the steps within slices, as the report prints it."""
    dx = (y[:, :, 1:] - y[:, :, :-1]).abs() - (x[:, :, 1:] - x[:, :, :-1]).abs()
    dy = (y[..., 1:, :] - y[..., :-1, :]).abs() - (x[..., 1:, :] - x[..., :-1, :]).abs()
    return dx.square().sum() + dy.square().sum()


class IxiGan:
    """Networks, optimisers and step; parameters as for `gla_gan.GlaGan`."""

    def __init__(self, entry: dict[str, Any], mask: Tensor, atlas: Tensor, steps: int) -> None:
        del atlas, steps
        g, d, training = dict(entry["generator"]), dict(entry["discriminator"]), entry["training"]
        self.generator = generator(**g).to(mask.device)
        self.discriminator = discriminator(**d).to(mask.device)
        self.networks = {"generator": self.generator, "discriminator": self.discriminator}
        rate, betas = training["learning_rate"], (training["beta1"], 0.999)
        self.of_generator = torch.optim.Adam(self.generator.parameters(), rate, betas)
        self.of_discriminator = torch.optim.Adam(self.discriminator.parameters(), rate, betas)
        self.weight = float(entry["losses"]["adversarial"])

    def step(self, batch: dict[str, Tensor]) -> dict[str, float]:
        """Train the discriminator on a mixed batch, then the generator."""
        source, real = batch["source"], batch["target"]
        bce, half = F.binary_cross_entropy_with_logits, (len(source) + 1) // 2
        fake = self.generator(source)
        shown = torch.cat([real[:half], fake.detach()[half:]])
        logits = self.discriminator(torch.cat([source, shown], dim=1))
        true, false = logits[:half], logits[half:]
        against = bce(true, torch.ones_like(true)) + bce(false, torch.zeros_like(false))
        self.of_discriminator.zero_grad()
        against.backward()
        self.of_discriminator.step()

        self.discriminator.eval()
        for parameter in self.discriminator.parameters():
            parameter.requires_grad = False
        judged = self.discriminator(torch.cat([source, fake], dim=1))
        terms = {
            "adversarial": bce(judged, torch.ones_like(judged)),
            "l2": F.mse_loss(fake, real, reduction="sum") / len(real),
            "gradient_difference": gradient_difference(fake, real) / len(real),
        }
        total = terms["l2"] + terms["gradient_difference"] + self.weight * terms["adversarial"]
        self.of_generator.zero_grad()
        total.backward()
        self.of_generator.step()
        self.discriminator.train()
        for parameter in self.discriminator.parameters():
            parameter.requires_grad = True
        found = {"generator": total, **terms, "discriminator": against}
        return {name: value.item() for name, value in found.items()}
