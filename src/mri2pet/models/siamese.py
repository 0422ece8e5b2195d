"""The siamese autoencoder of patches (part A6; Alaverdyan et al., Medical Image Analysis, 2020).

One network codes a square patch of a slice in a vector and restores the patch from it; two patches
of a pair go through the same weights. The encoder is made of convolutions without padding, the last
of which takes all that is left of the patch: it can therefore run over whole slices, and gives at
every voxel exactly what it gives for the patch around it (`dense`).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mri2pet.errors import InputError

SLOPE = 0.01  # of the leaky ReLU


class PatchAutoencoder(nn.Module):
    """Encoder and decoder of patches.

    Parameters
    ----------
    patch
        Side of a patch in voxels, odd: 15 in the paper.
    features
        Length of the code: 64 in the paper.
    filters, kernels, strides
        Of the convolutions before the one that makes the code, one number a layer. The decoder
        mirrors them. The paper's text has none of these numbers.
    """

    def __init__(
        self,
        patch: int = 15,
        features: int = 64,
        filters: Sequence[int] = (16, 32, 32),
        kernels: Sequence[int] = (3, 3, 3),
        strides: Sequence[int] = (1, 2, 1),
    ) -> None:
        super().__init__()
        if patch % 2 == 0:
            raise InputError(f"patch: {patch} is even; a patch has a voxel in its middle")
        if not len(filters) == len(kernels) == len(strides):
            raise InputError("filters, kernels and strides must be equally many")
        self.patch, self.features = patch, features
        sides, widths = [patch], [1, *filters]
        for kernel, stride in zip(kernels, strides, strict=True):
            side = (sides[-1] - kernel) // stride + 1
            if sides[-1] < kernel:
                raise InputError(f"kernels: nothing of a patch of {patch} is left for {kernel}")
            sides.append(side)
        shapes = list(zip(widths, widths[1:], kernels, strides, strict=False))
        layers = [nn.Conv2d(a, b, k, s) for a, b, k, s in shapes]
        self.encoder = nn.ModuleList([*layers, nn.Conv2d(widths[-1], features, sides[-1])])
        back = [nn.ConvTranspose2d(features, widths[-1], sides[-1])]
        for (a, b, k, s), large, small in reversed(
            list(zip(shapes, sides, sides[1:], strict=False))
        ):
            rest = large - ((small - 1) * s + k)
            back.append(nn.ConvTranspose2d(b, a, k, s, output_padding=rest))
        self.decoder = nn.ModuleList(back)

        for layer in (*self.encoder, *self.decoder):
            terms = layer.in_channels  # in the sum that an output is
            if layer is not self.decoder[0]:  # that one has a single value to spread
                terms *= layer.kernel_size[0] ** 2
            if isinstance(layer, nn.ConvTranspose2d):
                terms /= layer.stride[0] ** 2
            nn.init.normal_(layer.weight, std=math.sqrt(2 / terms))  # He (2015)
            nn.init.zeros_(layer.bias)
        self.register_buffer("mean", torch.tensor(0.0))
        self.register_buffer("scale", torch.tensor(1.0))

    def use_range(self, mean: float, scale: float) -> None:
        """Set mean and standard deviation of intensities: the network sees and restores units."""
        self.mean.fill_(mean)
        self.scale.fill_(scale)

    def standardised(self, patches: Tensor) -> Tensor:
        """Return intensities in the network's unit."""
        return (patches - self.mean) / self.scale

    def encode(self, patches: Tensor) -> Tensor:
        """Code patches (N, 1, P, P) in vectors (N, features)."""
        return self._run(self.standardised(patches), dense=False)[:, :, 0, 0]

    def dense(self, slices: Tensor) -> Tensor:
        """Code the patch around every voxel of slices (N, 1, X, Y): (N, features, X, Y).

        Beyond a slice's edge is zero. A stride becomes a dilation of all layers after it.
        """
        half = self.patch // 2
        padded = functional.pad(slices, (half, half, half, half))
        return self._run(self.standardised(padded), dense=True)

    def decode(self, codes: Tensor) -> Tensor:
        """Restore standardised patches (N, 1, P, P) from vectors (N, features)."""
        x = codes[:, :, None, None]
        for layer in self.decoder[:-1]:
            x = functional.leaky_relu(layer(x), SLOPE)
        return self.decoder[-1](x)

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return codes and restored patches, the latter standardised."""
        codes = self.encode(patches)
        return codes, self.decode(codes)

    def _run(self, x: Tensor, dense: bool) -> Tensor:
        apart = 1  # in a dense run: voxels between two values that a patch's run would have
        for number, layer in enumerate(self.encoder):
            if number:
                x = functional.leaky_relu(x, SLOPE)
            if dense:
                x = functional.conv2d(x, layer.weight, layer.bias, dilation=apart)
                apart *= layer.stride[0]
            else:
                x = layer(x)
        return x


@torch.no_grad()
def dense_in_parts(network: PatchAutoencoder, slices: Tensor, at_once: int) -> Tensor:
    """Do `dense` for `at_once` slices at a time."""
    return torch.cat([network.dense(part) for part in slices.split(at_once)])
