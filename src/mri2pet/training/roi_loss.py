"""The GLA-GAN paper's regional loss (eq. 7), in both readings."""

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError

MEANS, VOXELS = "means", "voxels"


class RoiLoss(nn.Module):
    """Mean over regions of a squared error, of the regions' means or of their voxels (eq. 7).

    Both versions of the paper say in words that the mean intensities of 116 regions are compared;
    eq. 7 has the square outside the mean of a region's differences in one version and inside it in
    the other. So there are two readings; both are the mean over the R regions that have a voxel in
    the grid.

    Parameters
    ----------
    labels
        (X, Y, Z) whole numbers, 0 where no region is.
    of
        `means`: the square of the difference of a region's mean intensities. Noise that leaves
        these as they are costs nothing. `voxels`: the mean of the squared differences of its
        voxels, so that a voxel of region i counts 1 / (R N_i).

    Raises
    ------
    InputError
        If no voxel bears a label, or for another reading.
    """

    def __init__(self, labels: Tensor, of: str = MEANS) -> None:
        super().__init__()
        if of not in (MEANS, VOXELS):
            raise InputError(f"losses.roi.of: {of!r} is neither {MEANS} nor {VOXELS}")
        self.of = of
        labels = labels.long().flatten()
        sizes = torch.bincount(labels, minlength=1)
        sizes[0] = 0
        self.regions = int((sizes > 0).sum())
        if not self.regions:
            raise InputError("ROI loss: the atlas has no region in the volume")
        shares = torch.where(sizes > 0, 1 / sizes.clamp(min=1), 0.0)
        self.register_buffer("labels", labels, persistent=False)
        self.register_buffer("shares", shares, persistent=False)

    def forward(self, predicted: Tensor, real: Tensor) -> Tensor:
        """Return the loss of volumes (B, 1, X, Y, Z), mean over the batch, at least float32.

        Where both have the same value, as they do in a gap of a PET, there is no difference to
        count.
        """
        exact = torch.promote_types(predicted.dtype, torch.float32)
        differences = (predicted.to(exact) - real.to(exact)).flatten(1)
        if self.of == VOXELS:
            return (self._sums(differences.square()) * self.shares).sum(1).mean() / self.regions
        return (self._sums(differences) * self.shares).square().sum(1).mean() / self.regions

    def _sums(self, values: Tensor) -> Tensor:
        """Add up (B, voxels) by region: (B, labels)."""
        rows = values.unbind()
        # A row at a time: an index into one dimension is added up in a single pass.
        empty = values.new_zeros(len(self.shares))
        return torch.stack([empty.index_add(0, self.labels, row) for row in rows])
