"""The ResNet generator and the PatchGAN discriminator of Cycle-GAN (Zhu 2017): part A2.

The generator is c7s1-64, d128, d256, residual blocks of 256 channels, u128, u64, c7s1, with
reflection padding, instance norm without weights and N(0, .02) weights. The anomaly paper takes it
with 9 blocks for three adjacent slices as channels (semi-3D), and in 3D with 2 blocks for patches
of 32^3. Networks differ from the 3D Cycle-GAN of `models/cycle_gan.py` in sizes and padding alone.
"""

from collections.abc import Sequence

from mri2pet.errors import InputError
from mri2pet.models.cycle_gan import CycleGanDiscriminator, CycleGanGenerator

KERNEL = 4  # of all convolutions of a PatchGAN


class ResnetGenerator(CycleGanGenerator):
    """From slices or patches of one modality to those of the other.

    Parameters
    ----------
    filters, blocks, kernel, dimensions, channels, padding
        As for `CycleGanGenerator`; by default those of Zhu (2017) with 9 blocks for three slices:
        11.4 million parameters.
    """

    def __init__(
        self,
        filters: Sequence[int] = (64, 128, 256),
        blocks: int = 9,
        kernel: int = 7,
        dimensions: int = 2,
        channels: int = 3,
        padding: str = "reflect",
    ) -> None:
        super().__init__(filters, blocks, kernel, dimensions, channels, padding)


class PatchGan(CycleGanDiscriminator):
    """Scores of parts of a slice or patch; by default of 70 x 70 pixels.

    Parameters
    ----------
    filters, strides, channels, dimensions
        As for `CycleGanDiscriminator`; by default those of Zhu (2017): 2.8 million parameters.
    """

    def __init__(
        self,
        filters: Sequence[int] = (64, 128, 256, 512, 1),
        strides: Sequence[int] = (2, 2, 2, 1, 1),
        channels: int = 3,
        dimensions: int = 2,
    ) -> None:
        super().__init__(filters, strides, channels, dimensions)


def receptive_field(strides: Sequence[int], kernel: int = KERNEL) -> int:
    """Return how many voxels a side each score of a PatchGAN sees.

    A field as large as what the discriminator is shown makes one score of the whole of it, and no
    longer a PatchGAN.
    """
    if not strides:
        raise InputError("patch_gan: no convolution")
    field, step = 1, 1
    for stride in strides:
        field += (kernel - 1) * step
        step *= stride
    return field
