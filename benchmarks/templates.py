"""Best affine from MNI152NLin2009cAsym, in which the simulated truth is stated, to MNI152NLin6Asym.

    python benchmarks/templates.py [resources/atlases]

prints it. Estimated by local flow (mri2pet.imaging.optical_flow) between the two heads at 5, 3
and 2 mm, over the brain of the latter, the target of registration. Its own error is in every
comparison that goes through it.
"""

import sys
from pathlib import Path

import numpy as np

from mri2pet.imaging.optical_flow import Level, affine_by_flow
from mri2pet.imaging.volume import Array, Volume, array, like, load_volume

LEVELS = (Level(5.0, 10, 14.0), Level(3.0, 6, 10.0), Level(2.0, 6, 7.0))


def nlin6_from_2009c(atlases: str | Path) -> Array:
    """Return the 4x4 affine, points of MNI152NLin2009cAsym to points of MNI152NLin6Asym."""
    target, brain, source = (
        load_volume(Path(atlases) / f"{name}.nii.gz")
        for name in ("mni152_t1", "mni152_brain_mask", "anatomy_t1")
    )
    return affine_by_flow(_scaled(target), brain, _scaled(source), np.eye(4), LEVELS)


def _scaled(head: Volume) -> Volume:
    data = array(head).astype(np.float32)
    return like(head, np.clip(data / np.percentile(data[data > 0], 99), 0, 1.2))


if __name__ == "__main__":
    print(nlin6_from_2009c(sys.argv[1] if len(sys.argv) > 1 else "resources/atlases"))
