"""Mean intensity of AAL regions over whole voxels, by method, age and person."""

import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.diagnosis.features import regional_means
from mri2pet.errors import InputError

BRAIN = "Brain"  # the mean over the whole mask, among the regions
OWN_AGE, SET_AGE = "own age", "set age"  # the person's own; the one that the generator was told
SET_DIAGNOSIS = "set diagnosis"  # the column `group` is then the one told
COLUMNS = (
    "method", "curve", "fold", "subject", "visit", "group", "age", "region", "value",
)  # fmt: skip


def region_values(
    visits: pd.DataFrame,
    images: Sequence[NDArray],
    mask: NDArray,
    atlas: NDArray,
    names: Sequence[str],
    method: str,
    curve: str,
    fold: int,
    seen: NDArray | None = None,
) -> pd.DataFrame:
    """Measure the mean of every region, and of the whole brain, in many volumes.

    Parameters
    ----------
    visits
        Row `i` belongs to `images[i]`: subject visit group age; the age is the person's own, or
        the one that the generator was told.
    images
        M volumes (X, Y, Z); may be memory-mapped.
    mask, atlas
        (X, Y, Z) brain and labels; only voxels of both count.
    names
        Name of region 1, 2, ...
    method, curve, fold
        Written into the table.
    seen
        (N, X, Y, Z) boolean, where volume `index` of the dataset is measured; None: everywhere.

    Returns
    -------
    One row a visit and region, `COLUMNS`; NaN for a region without a voxel, or that is hardly
    measured (`features.MIN_SEEN`).
    """
    if len(visits) != len(images):
        raise InputError(f"{method}: {len(visits)} visits, but {len(images)} volumes")
    regions = [BRAIN, *names]
    inside = np.where(mask, atlas, 0)
    frames = []
    for position, visit in enumerate(visits.itertuples(index=False)):
        image = images[position]
        own = None if seen is None else seen[visit.index]
        means = regional_means(image, mask, inside, len(names), own)
        brain = mask if own is None else mask & own
        frames.append(
            pd.DataFrame(
                {
                    "method": method,
                    "curve": curve,
                    "fold": fold,
                    "subject": visit.subject,
                    "visit": visit.visit,
                    "group": visit.group,
                    "age": visit.age,
                    "region": regions,
                    "value": [float(np.mean(image[brain], dtype=np.float64)), *means],
                }
            )
        )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


def check_regions(regions: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a region that the atlas does not have, naming the nearest that it has."""
    for region in regions:
        if region not in names and region != BRAIN:
            near = difflib.get_close_matches(region, names, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"they are named like '{names[-1]}'"
            raise InputError(
                f"dual_glow.synthesis.regions: '{region}' is no region of the AAL atlas; {hint}"
            )
