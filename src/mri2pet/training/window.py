"""The Gaussian window of structural similarity (Wang 2004), and a filter with it."""

import torch
from torch import Tensor


def gaussian(window: int, sigma: float, device: torch.device) -> Tensor:
    """Return (window,) weights that add up to one."""
    offsets = torch.arange(window, device=device, dtype=torch.float32) - (window - 1) / 2
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    return kernel / kernel.sum()


def smooth_valid(maps: Tensor, window: int, sigma: float) -> Tensor:
    """Filter maps with a Gaussian, axis by axis, where the window fits.

    A filter along one axis is a product with a band matrix, which runs many times faster than a
    convolution of few channels, on CPU and GPU, and the same forwards and backwards.

    Parameters
    ----------
    maps
        (B, C, X, Y, Z).
    window
        Side of the window in voxels.
    sigma
        Standard deviation in voxels.

    Returns
    -------
    Tensor
        (B, C, X - window + 1, Y - window + 1, Z - window + 1).
    """
    for axis in (2, 3, 4):
        band = _band_matrix(maps.shape[axis], window, sigma, maps.device)
        maps = torch.movedim(torch.movedim(maps, axis, -1) @ band, -1, axis)
    return maps


def _band_matrix(size: int, window: int, sigma: float, device: torch.device) -> Tensor:
    """Return (size, size - window + 1): column j holds the window's weights from row j on."""
    kernel = gaussian(window, sigma, device)
    places = torch.arange(size - window + 1, device=device)
    band = torch.zeros(size, len(places), device=device)
    band[places + torch.arange(window, device=device)[:, None], places] = kernel[:, None]
    return band
