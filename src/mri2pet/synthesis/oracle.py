"""The best PET of simulated visits, gathered for the visits that models synthesise."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet.errors import InputError
from mri2pet.imaging.volume import array, load_volume

Array = np.ndarray


def read_best(
    paths: Iterable[str | Path], rows: pd.DataFrame, mask: Array
) -> tuple[Array, pd.DataFrame, list[str]]:
    """Read the best PET of some visits.

    Parameters
    ----------
    paths
        Volumes `sub-<subject>_ses-<visit>_...` on the dataset's grid; may be of more visits. One
        whose MRI is excluded is empty.
    rows
        As `datasets.selection.synthesis_rows` gives them. People of another study, of whom nothing
        is known but an MRI (`gan_anomaly.ixi_controls`), have no such volume and are left out.
    mask
        (X, Y, Z) bool; outside it the PET is zero.

    Returns
    -------
    made, rows, sources
        (M, X, Y, Z) float32; the M rows that have a volume; where these were read.

    Raises
    ------
    InputError
        A visit with a PET has no volume, or a volume is not on the dataset's grid.
    """
    found = {tuple(Path(path).name.split("_")[:2]): str(path) for path in paths}
    names = [(f"sub-{row.subject}", f"ses-{row.visit}") for row in rows.itertuples()]
    kept = np.array([name in found for name in names], dtype=bool)
    lost = rows[~kept & (rows["kind"] == "paired").to_numpy()]
    if len(lost):
        visit = lost.iloc[0]
        raise InputError(
            f"no best PET of subject {visit['subject']}, visit {visit['visit']}: simulate again"
        )
    sources = [found[name] for name in names if name in found]
    made = np.zeros((len(sources), *mask.shape), np.float32)
    for row, path in enumerate(sources):
        volume = array(load_volume(path))
        if volume.shape != mask.shape:
            raise InputError(
                f"{path}: its shape {volume.shape} is not the dataset's, {mask.shape}; remove it "
                "and run again"
            )
        made[row] = volume * mask
    return made, rows[kept].reset_index(drop=True), sources
