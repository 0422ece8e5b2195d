"""Generator and discriminator of patches from one MR contrast to another (parts X3 and X4).

From the report on IXI after Nie et al. (2018). Its tables print every layer with its number of
parameters, which the defaults here match.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.conv import Conv3x3x3
from mri2pet.models.norm import BatchNorm, run_bent

KERNELS = (9, 3, 3, 3, 9, 3, 3, 7, 3)
FILTERS = (32, 32, 32, 64, 64, 64, 32, 32, 1)
SLOPE = 0.3  # of LeakyReLU, and
EPSILON = 1e-3  # of batch norm: Keras's defaults, with which the report's tables were made


class IxiGenerator(nn.Module):
    """Nine convolutions of one resolution: no pooling, no bias, dilated inside.

    The report makes them as transposed convolutions, which at stride 1 are convolutions with the
    kernel turned round. "The dilation rate for the initial and the last convolution layer is 1 and
    2 for all the internal convolution layers". Batch norm and LeakyReLU follow all but the last.

    Parameters
    ----------
    filters
        Of each convolution; as printed 3,638,592 trainable parameters, and 704 statistics.
    kernels
        Side of each convolution, odd.
    dilation
        Of all but the first and the last.
    residual
        Add the input to the output (the report's long residual): what is learnt is the difference
        between the contrasts. The last convolution then starts at zero, and the generator at a
        copy of its input.
    momentum
        Of batch norm's running statistics; Keras's .99 is .01 here.
    identity
        Start near the identity (Yu and Koltun 2016 for dilated convolutions): every filter passes
        on the middle of one of its inputs, up or down, beside weights a tenth as large as without.
        Detail then need not be found again through nine layers, which short trainings need.
    """

    def __init__(
        self,
        filters: Sequence[int] = FILTERS,
        kernels: Sequence[int] = KERNELS,
        dilation: int = 2,
        residual: bool = False,
        momentum: float = 0.1,
        identity: bool = False,
    ) -> None:
        super().__init__()
        if len(filters) != len(kernels) or len(filters) < 2:
            raise InputError(
                f"ixi_generator: {len(filters)} filters for {len(kernels)} kernels; each "
                "convolution needs one of both"
            )
        if any(side % 2 == 0 for side in kernels) or filters[-1] != 1:
            raise InputError("ixi_generator: kernels must be odd, and the last filter is 1")
        layers: list[nn.Module] = []
        before, last = 1, len(filters) - 1
        for place, (after, side) in enumerate(zip(filters, kernels, strict=True)):
            step = 1 if place in (0, last) else dilation
            if side == 3:
                layers.append(Conv3x3x3(before, after, bias=False, dilation=step))
            else:
                kept = {"padding": step * (side // 2), "dilation": step}
                layers.append(nn.Conv3d(before, after, side, bias=False, **kept))
            nn.init.xavier_uniform_(layers[-1].weight)  # Keras's default
            if identity:
                _towards_identity(layers[-1].weight)
            if place < last:
                layers += [BatchNorm(after, EPSILON, momentum), nn.LeakyReLU(SLOPE)]
            before = after
        if residual:
            nn.init.zeros_(layers[-1].weight)
        self.layers = nn.Sequential(*layers)
        self.residual = residual

    def forward(self, source: Tensor) -> Tensor:
        """Map patches (B, 1, X, Y, Z) of one contrast to the other."""
        made = run_bent(self.layers, source)
        return source + made if self.residual else made


@torch.no_grad()
def _towards_identity(weight: Tensor) -> None:
    """Make a kernel (O, I, k, k, k) pass on inputs in turn, every other round turned down."""
    weight *= 0.1
    after, before, side = weight.shape[:3]
    middle = side // 2
    for place in range(after):
        sign = 1 if place // before % 2 == 0 else -1
        weight[place, place % before, middle, middle, middle] += sign


class IxiDiscriminator(nn.Module):
    """Judge whether a target patch is real and belongs to its source.

    Four convolutions of kernel 3, each with batch norm, LeakyReLU and max pooling, then three
    dense layers. The text speaks of three such stages and one convolution alone; the table of
    layers, followed here, has batch norm and pooling after the fourth as well: only so has its
    first dense layer the printed number of parameters. The last layer's sigmoid is part of the
    loss, which takes logits.

    Parameters
    ----------
    filters
        Of the convolutions.
    dense
        Widths of the hidden dense layers; as printed 2,280,225 parameters and statistics in all.
    patch
        Side of a patch in voxels.
    momentum
        Of batch norm's running statistics.
    """

    def __init__(
        self,
        filters: Sequence[int] = (32, 64, 128, 256),
        dense: Sequence[int] = (512, 128),
        patch: int = 32,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        if patch % 2 ** len(filters):
            raise InputError(
                f"ixi_discriminator: {len(filters)} poolings do not divide a patch of {patch}"
            )
        layers: list[nn.Module] = []
        before = 2
        for after in filters:
            layers += [
                Conv3x3x3(before, after),
                BatchNorm(after, EPSILON, momentum),
                nn.LeakyReLU(SLOPE),
                nn.MaxPool3d(2),
            ]
            before = after
        layers.append(nn.Flatten())
        before *= (patch // 2 ** len(filters)) ** 3
        for after in dense:
            layers += [nn.Linear(before, after), nn.LeakyReLU(SLOPE)]
            before = after
        layers.append(nn.Linear(before, 1))
        for layer in layers:
            if isinstance(layer, nn.Conv3d | nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        self.layers = nn.Sequential(*layers)

    def forward(self, pair: Tensor) -> Tensor:
        """Return the logit (B, 1) of each pair of source and target patch (B, 2, X, Y, Z)."""
        return run_bent(self.layers, pair)


def statistics(network: nn.Module) -> int:
    """Count batch norm's running means and variances, which Keras counts as parameters."""
    return sum(
        torch.numel(layer.running_mean) + torch.numel(layer.running_var)
        for layer in network.modules()
        if isinstance(layer, nn.BatchNorm3d)
    )
