"""Losses of the synthesis models, each with its equation in the GLA-GAN paper (part G6).

Volumes are (B, 1, X, Y, Z) with intensities 0 to 1. All is computed in float32, whatever
precision the networks run in.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.native.similarity import fits_similarity
from mri2pet.models.native.similarity import similarity as native_similarity
from mri2pet.training.recipes import find_loss
from mri2pet.training.window import gaussian, smooth_valid

C1, C2 = 0.01**2, 0.03**2  # constants of Wang (2004) for a data range of 1
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001)  # as printed; not rescaled to a sum of one
WINDOW, SIGMA = 11, 1.5  # of Wang (2004); 11 voxels still fit the 16^3 of the third scale
LOWEST_CONTRAST = 1e-6  # a negative mean contrast-structure has no fractional power
MEAN, SUM = "mean", "sum"

Loss = Callable[[Tensor, Tensor], Tensor]


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Adversarial loss of the discriminator (eq. 1), from logits, to be minimised.

    The negative of E[log D(y)] + E[log(1 - D(G(x)))], D being the sigmoid of the logits.
    """
    return F.softplus(-real.float()).mean() + F.softplus(fake.float()).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Adversarial loss of the generator, from the discriminator's logits of its volumes.

    The non-saturating form -E[log D(G(x))] (Goodfellow 2014), whose gradient does not vanish
    where the discriminator is sure; eq. 1's own second term does.
    """
    return F.softplus(-fake.float()).mean()


def least_squares_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Least-squares loss of a discriminator (Mao 2017), halved as in Cycle-GAN."""
    return 0.5 * ((real.float() - 1).square().mean() + fake.float().square().mean())


def least_squares_generator_loss(fake: Tensor) -> Tensor:
    """Least-squares loss of a generator: its volumes should be given a one."""
    return (fake.float() - 1).square().mean()


def l1_loss(predicted: Tensor, real: Tensor, reduction: str = MEAN) -> Tensor:
    """Absolute difference: mean over all voxels (eq. 2), or sum over those of a volume.

    Parameters
    ----------
    predicted, real
        (B, 1, X, Y, Z), of patches too.
    reduction
        `mean`, or `sum`: the sum over the voxels of each volume, mean over the batch.

    Raises
    ------
    InputError
        For another reduction.
    """
    _check_reduction("l1", reduction)
    total = F.l1_loss(predicted.float(), real.float(), reduction=reduction)
    return total / len(real) if reduction == SUM else total


def l2_loss(predicted: Tensor, real: Tensor, reduction: str = MEAN) -> Tensor:
    """Squared difference: mean over all voxels, or sum over those of a volume (the IXI report).

    Parameters and errors as of `l1_loss`.
    """
    _check_reduction("l2", reduction)
    total = F.mse_loss(predicted.float(), real.float(), reduction=reduction)
    return total / len(real) if reduction == SUM else total


def gradient_difference_loss(
    predicted: Tensor, real: Tensor, dimensions: int = 3, reduction: str = MEAN
) -> Tensor:
    """Squared difference of gradient magnitudes (Nie 2017, eq. 4), exponent 2.

    For each axis the mean (or sum) over all pairs of neighbours of
    (|real step| - |predicted step|)^2; they are added. It keeps edges that a squared error alone
    would blur.

    Parameters
    ----------
    predicted, real
        (B, 1, X, Y, Z).
    dimensions
        3, or 2 for the steps within slices alone (X and Y): between slices that do not follow one
        another there is no gradient (the IXI report).
    reduction
        As of `l1_loss`.

    Raises
    ------
    InputError
        For another number of dimensions, or another reduction.
    """
    _check_reduction("gradient_difference", reduction)
    if dimensions not in (2, 3):
        raise InputError(f"gradient_difference: {dimensions} dimensions; there are 2 or 3")
    x, y = predicted.float(), real.float()
    axes = range(2, 2 + dimensions)
    squares = ((y.diff(dim=a).abs() - x.diff(dim=a).abs()).square() for a in axes)
    if reduction == SUM:
        return sum(each.sum() for each in squares) / len(y)
    return sum(each.mean() for each in squares)


def _check_reduction(name: str, reduction: str) -> None:
    if reduction not in (MEAN, SUM):
        raise InputError(f"losses.{name}.reduction: {reduction!r} is neither {MEAN} nor {SUM}")


def ssim(
    predicted: Tensor, real: Tensor, window: int = WINDOW, sigma: float = SIGMA
) -> tuple[Tensor, Tensor]:
    """Structural similarity (eq. 4) with a 3D Gaussian window, and its contrast-structure part.

    Parameters
    ----------
    predicted, real
        (B, 1, X, Y, Z).
    window
        Side of the window in voxels; only places where it fits are counted.
    sigma
        Standard deviation of the window in voxels.

    Returns
    -------
    tuple of Tensor
        Means over the volume, (B,) each: of SSIM and of contrast times structure alone.

    Raises
    ------
    InputError
        If the window does not fit the volume.
    """
    x, y = predicted.float(), real.float()
    if fits_similarity(x, y):
        _check_window(window, x)
        return native_similarity(x, y, gaussian(window, sigma, x.device))
    similarity, contrast = ssim_maps(x, y, window, sigma)
    return similarity.mean(dim=(1, 2, 3)), contrast.mean(dim=(1, 2, 3))


def ssim_maps(
    predicted: Tensor, real: Tensor, window: int = WINDOW, sigma: float = SIGMA
) -> tuple[Tensor, Tensor]:
    """Return what `ssim` averages: maps (B, x, y, z) of the places where the window fits."""
    x, y = predicted.float(), real.float()
    _check_window(window, x)
    # Several maps at once through one filter; apart from them those that no gradient goes back to.
    of_both = smooth_valid(torch.cat([x, x * x, x * y], dim=1), window, sigma)
    mean_x, square_x, product = of_both.unbind(dim=1)
    mean_y, square_y = smooth_valid(torch.cat([y, y * y], dim=1), window, sigma).unbind(dim=1)
    variances = square_x - mean_x**2 + square_y - mean_y**2
    contrast = (2 * (product - mean_x * mean_y) + C2) / (variances + C2)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return luminance * contrast, contrast


def _check_window(window: int, volumes: Tensor) -> None:
    if window > min(volumes.shape[2:]):
        raise InputError(
            f"SSIM: a window of {window} voxels does not fit {tuple(volumes.shape[2:])}; "
            "set a smaller `window` for this loss"
        )


def ssim_loss(
    predicted: Tensor, real: Tensor, window: int = WINDOW, sigma: float = SIGMA
) -> Tensor:
    """One minus SSIM (eq. 4)."""
    return 1 - ssim(predicted, real, window, sigma)[0].mean()


def ms_ssim_loss(
    predicted: Tensor,
    real: Tensor,
    weights: Sequence[float] = MS_SSIM_WEIGHTS,
    window: int = WINDOW,
    sigma: float = SIGMA,
) -> Tensor:
    """One minus multi-scale SSIM (eq. 5 and 6).

    Eq. 5 prints a factor w(s) and exponents that are not given; the cited definition (Wang 2003)
    is used: contrast-structure at every scale, luminance at the coarsest alone, each scale to the
    power of its weight.

    Parameters
    ----------
    predicted, real
        (B, 1, X, Y, Z).
    weights
        Exponent of each scale from fine to coarse; each scale halves the grid by averaging.
    window, sigma
        As in `ssim`, the same at every scale.
    """
    x, y = predicted.float(), real.float()
    product = torch.ones(len(x), device=x.device)
    for scale, weight in enumerate(weights):
        similarity, contrast = ssim(x, y, window, sigma)
        last = scale == len(weights) - 1
        product = product * (similarity if last else contrast).clamp(LOWEST_CONTRAST) ** weight
        if not last:
            x, y = F.avg_pool3d(x, 2), F.avg_pool3d(y, 2)
    return 1 - product.mean()


class SynthesisLoss(nn.Module):
    """Weighted sum of terms that compare a synthesised volume with the real one (eq. 8).

    Parameters
    ----------
    terms
        Weight of each term, or `weight` and the term's own settings: `{l1: 1, ssim: {weight: 1,
        window: 7}}`. Terms: those of `recipes.LOSSES`, or `file.name`. A term of weight
        0 is left out.
    labels
        Atlas (X, Y, Z), for terms that need one.

    Raises
    ------
    InputError
        For an unknown term or setting, a negative weight, or when nothing is left.
    """

    def __init__(self, terms: Mapping[str, Any], labels: Tensor | None = None) -> None:
        super().__init__()
        self.weights: dict[str, float] = {}
        self.functions: dict[str, Loss] = {}
        self.of_labels = nn.ModuleDict()  # registered, so that they move with the module
        for name, entry in terms.items():
            settings = dict(entry) if isinstance(entry, Mapping) else {"weight": entry}
            weight = float(settings.pop("weight", 1.0))
            if weight < 0:
                raise InputError(f"losses.{name}: a weight of {weight} is negative")
            if not weight:
                continue
            self.weights[name] = weight
            self.functions[name] = self._make(name, settings, labels)
        if not self.weights:
            raise InputError("losses: no term with a weight above 0")

    def _make(self, name: str, settings: dict[str, Any], labels: Tensor | None) -> Loss:
        found = find_loss(name)
        taken = list(inspect.signature(found).parameters)
        made = isinstance(found, type)
        if unknown := set(settings) - set(taken[1 if made else 2 :]):
            raise InputError(f"losses.{name}: does not take the settings {sorted(unknown)}")
        if not made:
            return partial(found, **settings)
        if labels is None:
            raise InputError(f"losses.{name}: needs an atlas, and there is none")
        self.of_labels[name.replace(".", "_")] = loss = found(labels, **settings)
        return loss

    def forward(self, predicted: Tensor, real: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum, and every term's own value before weighting."""
        # Autocast would run the Gaussian filter's products in half precision.
        with torch.autocast(predicted.device.type, enabled=False):
            terms = {name: loss(predicted, real) for name, loss in self.functions.items()}
            total = sum(self.weights[name] * value for name, value in terms.items())
        return total, terms
