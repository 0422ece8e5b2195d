"""Learned perceptual image patch similarity, LPIPS (Zhang 2018): a column of Table 1 (part A5).

Features of a pretrained network, normalised at each place, their squared differences weighted by
layer and channel, averaged over places and added over layers. Version 0.1 of its authors, with
AlexNet, unless VGG16 is asked for.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.evaluation.image_metrics import LPIPS_UNIT, comparable

Array = np.ndarray

METRIC = "LPIPS"
NETWORKS = ("alexnet", "vgg16")
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of RGB in -1..1
EPSILON = 1e-10
# Convolutions as (output channels, kernel, stride, padding), "M" for max pooling, and the places
# among the convolutions whose ReLU counts.
ALEXNET = [(64, 11, 4, 2), "M", (192, 5, 1, 2), "M", (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1)]
VGG16 = [
    *[(64, 3, 1, 1)] * 2, "M", *[(128, 3, 1, 1)] * 2, "M", *[(256, 3, 1, 1)] * 3, "M",
    *[(512, 3, 1, 1)] * 3, "M", *[(512, 3, 1, 1)] * 3,
]  # fmt: skip
LAYERS = {"alexnet": ALEXNET, "vgg16": VGG16}
COUNTED = {"alexnet": (0, 1, 2, 3, 4), "vgg16": (1, 3, 6, 9, 12)}
POOLING = {"alexnet": (3, 2), "vgg16": (2, 2)}  # kernel and stride


class Lpips(nn.Module):
    """The network and its heads.

    Parameters
    ----------
    arrays
        `<network>/Conv_<i>/{kernel,bias}` with kernels (height, width, in, out), and
        `NetLinLayer_<i>/Conv_0/kernel`, as `lpips_weights.read_arrays` gives them.

    Raises
    ------
    InputError
        If the arrays are not those of a network that is known.
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        super().__init__()
        stems = {"alexnet": "AlexNet_0", "vgg16": "VGG16_0"}
        found = [name for name, stem in stems.items() if f"{stem}/Conv_0/kernel" in arrays]
        if len(found) != 1:
            raise InputError("LPIPS: the weights are neither of AlexNet nor of VGG16")
        self.network = found[0]
        stem, channels = stems[self.network], 3
        self.convolutions = nn.ModuleList()
        convolutions = [layer for layer in LAYERS[self.network] if layer != "M"]
        try:
            for i, (after, kernel, stride, padding) in enumerate(convolutions):
                layer = nn.Conv2d(channels, after, kernel, stride, padding)
                weight = np.array(arrays[f"{stem}/Conv_{i}/kernel"], np.float32)
                layer.weight.data.copy_(torch.from_numpy(weight).permute(3, 2, 0, 1))
                bias = np.array(arrays[f"{stem}/Conv_{i}/bias"], np.float32)
                layer.bias.data.copy_(torch.from_numpy(bias))
                self.convolutions.append(layer)
                channels = after
            for i, place in enumerate(COUNTED[self.network]):
                head = np.array(arrays[f"NetLinLayer_{i}/Conv_0/kernel"], np.float32).reshape(-1)
                if len(head) != convolutions[place][0]:
                    raise InputError(f"LPIPS: head {i} has {len(head)} weights")
                self.register_buffer(f"head_{i}", torch.from_numpy(head))
        except (KeyError, RuntimeError) as error:
            raise InputError(f"LPIPS: the weights do not fit {self.network} ({error})") from error
        self.register_buffer("shift", torch.tensor(SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(SCALE).view(1, 3, 1, 1))
        self.requires_grad_(False).eval()

    def features(self, images: Tensor) -> list[Tensor]:
        """Return the features that count, of images (B, 3, H, W) in -1..1, each of unit length."""
        x, found, convolutions = (images - self.shift) / self.scale, [], iter(self.convolutions)
        place = 0
        for layer in LAYERS[self.network]:
            if layer == "M":
                x = F.max_pool2d(x, *POOLING[self.network])
                continue
            x = F.relu(next(convolutions)(x))
            if place in COUNTED[self.network]:
                length = x.square().sum(dim=1, keepdim=True).sqrt()
                found.append(x / (length + EPSILON))
            place += 1
        return found

    @torch.inference_mode()
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the distance (B,) between images (B, 3, H, W) in -1..1."""
        total = torch.zeros(len(first), device=first.device)
        pairs = zip(self.features(first), self.features(second), strict=True)
        for i, (a, b) in enumerate(pairs):
            head = getattr(self, f"head_{i}").view(1, -1, 1, 1)
            total += ((a - b).square() * head).sum(dim=1).mean(dim=(1, 2))
        return total


def load_lpips(weights: str | Path) -> Lpips | None:
    """Make the network from a .npz; None if the file is not there or empty, as offline."""
    path = Path(weights)
    if not path.is_file() or not path.stat().st_size:
        return None
    with np.load(path, allow_pickle=False) as arrays:
        return Lpips(dict(arrays))


def volume_lpips(
    network: Lpips, real: Array, synthetic: Array, mask: Array, batch: int = 32
) -> float:
    """Return the mean LPIPS over the transverse slices that hold brain.

    LPIPS is defined for pictures: each slice is one, at the volumes' own resolution, grey as three
    equal channels, zero outside the mask, 0..1 stretched to -1..1.

    Parameters
    ----------
    network
        See `load_lpips`.
    real, synthetic
        (X, Y, Z), 0 to 1.
    mask
        (X, Y, Z) bool.
    batch
        Slices at once.
    """
    held = np.flatnonzero(mask.any(axis=(0, 1)))
    if not len(held):
        raise InputError("LPIPS: the brain mask is empty")

    def pictures(volume: Array) -> Tensor:
        slices = np.moveaxis(np.asarray(volume * mask, np.float32)[:, :, held], 2, 0)
        grey = torch.from_numpy(np.ascontiguousarray(slices))[:, None]
        return 2 * grey.expand(-1, 3, -1, -1) - 1

    pairs = zip(pictures(real).split(batch), pictures(synthetic).split(batch), strict=True)
    return float(torch.cat([network(a, b) for a, b in pairs]).mean())


def not_computed(weights: str | Path) -> str:
    """Return what stands in place of the unit where there are no weights."""
    return f"not computed: weights not found at {weights}"


def lpips_of_visits(
    visits: pd.DataFrame,
    real: Array,
    synthetic: Array,
    mask: Array,
    fold: int,
    network: Lpips | None,
    weights: str | Path,
    seen: Array | None = None,
) -> pd.DataFrame:
    """Measure the held-out visits of one model and fold, as `image_metrics.measure_visits` does.

    Parameters
    ----------
    visits, real, synthetic, mask, fold, seen
        As there.
    network, weights
        LPIPS and the file that it comes from. Without network all values are missing, and the
        unit says why.

    Returns
    -------
    One row a visit: subject visit group fold metric unit value.
    """
    rows = [
        {
            "subject": visit.subject,
            "visit": visit.visit,
            "group": visit.group,
            "fold": fold,
            "metric": METRIC,
            "unit": LPIPS_UNIT if network else not_computed(weights),
            "value": (
                volume_lpips(
                    network, *comparable(real, synthetic[position], mask, seen, visit.index)
                )
                if network
                else np.nan
            ),
        }
        for position, visit in enumerate(visits.itertuples(index=False))
        if visit.role == "test"
    ]
    columns = ["subject", "visit", "group", "fold", "metric", "unit", "value"]
    return pd.DataFrame(rows, columns=columns)
