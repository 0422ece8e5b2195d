"""What is measured on people who are not trained on, after every epoch: a flow's likelihood."""

import torch

from mri2pet.synthesis.temperature import bits_a_voxel
from mri2pet.training.held_out import HeldOutSsim
from mri2pet.training.recipe import Recipe


class HeldOutLikelihood(HeldOutSsim):
    """Negative bits a voxel of a generator with a likelihood (DUAL-GLOW); SSIM of any other.

    Sigma is as learnt: an epoch that is too sure of itself is not kept.
    """

    NAME, KEY = "likelihood", "validation_likelihood"

    @torch.no_grad()
    def __call__(self, recipe: Recipe, epoch: int) -> dict[str, float]:
        """Return the mean over people; the noise of the grey levels is the same every time."""
        generator = recipe.generator
        if not hasattr(generator, "encode_pet"):
            return super().__call__(recipe, epoch)
        device = next(generator.parameters()).device
        total = 0.0
        for row, (mri, pet) in enumerate(zip(self.pairs.source, self.pairs.target, strict=True)):
            told = self.told(generator, row)
            pair = (volume[None].to(device) for volume in (mri, pet))
            total -= float(bits_a_voxel(generator, *pair, told))
        return {self.KEY: total / len(self.pairs.source)}
