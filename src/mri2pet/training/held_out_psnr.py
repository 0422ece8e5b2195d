"""What is measured on people who are not trained on, after every epoch: the tables' own metrics."""

import numpy as np
import torch

from mri2pet.evaluation.image_metrics import measure_volume, psnr
from mri2pet.training.held_out import HeldOut
from mri2pet.training.recipe import Recipe

Array = np.ndarray


class HeldOutPsnr(HeldOut):
    """PSNR, beside it whatever the tables measure on volumes of the scale."""

    NAME, KEY = "psnr", "validation_psnr"

    @torch.inference_mode()
    def __call__(self, recipe: Recipe, epoch: int) -> dict[str, float]:
        """Return mean and sd (ddof 1) of each metric over people: `validation_psnr`, `..._sd`."""
        del epoch
        people = [
            measure_volume(
                *(volume.squeeze().cpu().numpy() for volume in (real, made, mask)), self.scale
            )
            for made, real, mask in self.volumes(recipe)
        ]
        measures = {}
        for name in people[0]:
            values = [person[name] for person in people]
            spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            measures[f"validation_{name.lower()}"] = float(np.mean(values))
            measures[f"validation_{name.lower()}_sd"] = spread
        return measures

    @staticmethod
    def score(real: Array, synthetic: Array, mask: Array) -> float:
        """Return what the width of the smoothing is chosen by."""
        return psnr(real, synthetic, mask)
