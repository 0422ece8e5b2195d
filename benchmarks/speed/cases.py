"""The five models whose training and inference are timed, at paper size and small."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from scipy.ndimage import gaussian_filter

from mri2pet.config.systems import system_models
from mri2pet.datasets.parts import Parts
from mri2pet.training.data import Pairs
from plain.cycle_gan import CycleGan
from plain.dual_glow import DualGlow
from plain.gla_gan import GlaGan
from plain.ixi import IxiGan

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Model:
    """Where a model stands in the configuration, and what it is compared with."""

    system: str
    entry: str
    unit: str  # what a batch holds so many of
    shape: tuple[int, int, int]  # of a volume at paper size
    plain: Callable[..., Any]
    small_shape: tuple[int, int, int]
    small: Mapping[str, Mapping[str, Any]]
    people: int = 8


MODELS = {
    "GLA-GAN": Model(
        *("gla_gan", "gla_gan", "volumes", (64, 64, 64), GlaGan, (48, 48, 48)),
        {
            "generator": {"filters": [4, 4, 6, 4]},
            "discriminator": {"filters": [8, 8, 8, 8, 8, 1]},
            "training": {"batch_size": 2},
        },
    ),
    "Cycle-GAN 3D": Model(
        *("gla_gan", "cycle_gan", "volumes", (64, 64, 64), CycleGan, (32, 32, 32)),
        {
            "generator": {"filters": [4, 8, 16], "blocks": 2, "kernel": 3},
            "discriminator": {"filters": [8, 8, 8, 8, 1]},
        },
    ),
    "DUAL-GLOW": Model(
        *("dual_glow", "dual_glow", "volumes", (64, 96, 64), DualGlow, (16, 24, 16)),
        {
            "generator": {
                "depth": [2, 2],
                "width": [16, 16],
                "relation": {"width": 8, "layers": 2, "kernel": 3},
            }
        },
    ),
    "semi-3D Cycle-GAN": Model(
        *("gan_anomaly", "semi3d_cycle_gan_mse", "slices", (157, 189, 136), CycleGan, (37, 46, 12)),
        {
            "generator": {"filters": [8, 16, 32], "blocks": 2, "kernel": 5},
            "discriminator": {"filters": [8, 16, 1], "strides": [2, 1, 1]},
        },
        people=4,
    ),
    "IXI GAN": Model(
        *("ixi", "t2_pd_g3", "patches", (224, 224, 32), IxiGan, (64, 64, 32)),
        {
            "generator": {"filters": [4] * 8 + [1], "kernels": [3] * 9},
            "discriminator": {"filters": [4, 8, 16, 16], "dense": [16, 8]},
            "training": {"batch_size": 4},
        },
        people=4,
    ),
}


@dataclass(frozen=True)
class Case:
    """A model at one size with its data, on the host."""

    name: str
    model: Model
    entry: dict[str, Any]
    pairs: Pairs

    @property
    def parts(self) -> Parts | None:
        """How volumes are cut."""
        return Parts.of(self.entry)

    @property
    def batch_size(self) -> int:
        """Units a step, slices counted one by one."""
        groups = self.entry["training"]["batch_size"]
        return groups * (self.parts.channels if self.parts is not None else 1)

    @property
    def patch(self) -> int:
        """Side of the patches; 0 where there are none."""
        return self.parts.size if self.parts is not None and self.parts.kind == "patches" else 0


def overlay(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a configuration over another, key by key."""
    for key, value in above.items():
        nested = isinstance(value, Mapping) and isinstance(below.get(key), dict)
        below[key] = overlay(below[key], value) if nested else copy.deepcopy(value)
    return below


def make_case(name: str, size: str, changes: Mapping[str, Any] | None = None) -> Case:
    """Read a model of config/paper, narrow it if it is to be small, and simulate its data."""
    model = MODELS[name]
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    paper = ROOT / f"config/paper/{model.system}.yaml"
    overlay(config, yaml.safe_load(paper.read_text()))
    entry = system_models(config, model.system)[model.entry]
    if size == "small":
        overlay(entry, model.small)
    overlay(entry, changes or {})
    shape = model.small_shape if size == "small" else model.shape
    if entry["generator"].get("grid"):
        entry["generator"]["grid"] = list(shape)
    everywhere = model.system == "ixi"
    return Case(name, model, entry, simulate(model.people, shape, everywhere))


def simulate(
    people: int, shape: tuple[int, int, int], everywhere: bool = False, seed: int = 0
) -> Pairs:
    """Make smooth volumes whose PET follows from the MRI in part; IXI's have no background."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"))
    mask = (grid**2).sum(0) < 0.85
    volumes = []
    for width in (1.0, 2.0):
        noise = rng.normal(size=(people, *shape)).astype(np.float32)
        smooth = gaussian_filter(noise, (0, width, width, width))
        volumes.append(smooth / smooth.std())
    mri, other = volumes
    pet = 0.7 * mri + 0.3 * other
    if everywhere:
        mask = np.ones(shape, bool)
    else:
        mri, pet = (np.clip(0.5 + 0.15 * v, 0, 1) * mask for v in (mri, pet))
    labels = (np.arange(mask.size) * 116 // mask.size + 1).reshape(mask.shape) * mask
    tensors = [torch.from_numpy(v[:, None].astype(np.float32)) for v in (mri, pet)]
    return Pairs(*tensors, torch.from_numpy(mask), torch.from_numpy(labels.astype(np.uint8)))
