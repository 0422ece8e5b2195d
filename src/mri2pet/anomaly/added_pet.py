"""PET that a detector learns from beside the real PET of its folds' controls."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet.datasets.further_controls import FURTHER
from mri2pet.errors import InputError
from mri2pet.files import read_tsv
from mri2pet.imaging.intensity import scale_image

Array = np.ndarray
TEXT = {"subject": str, "visit": str}
QUANTILES = np.linspace(0, 1, 1001)


def further_rows(visits: pd.DataFrame) -> pd.DataFrame:
    """Select the controls with a PET that are held back from everything else.

    Parameters
    ----------
    visits
        The dataset's table with `role` and `kind`.

    Raises
    ------
    InputError
        If there is none.
    """
    rows = visits[(visits["role"] == FURTHER) & (visits["kind"] == "paired")]
    if rows.empty:
        raise InputError(
            "gan_anomaly.detector.further_controls: no control with a PET is held back, and a "
            "training set learns from such (further: true); hold some back, or leave the set out"
        )
    return rows


def alone_rows(table: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    """Select the synthesised controls who have an MRI alone at all their visits.

    A control with a PET at one visit and an MRI alone at another is held out of some folds: the
    synthetic PET of the other visit would show the detector a person that it is to be tested on.

    Parameters
    ----------
    table
        `visits.tsv` of a synthesis, with `role`.
    visits
        The dataset's table with `kind`.

    Returns
    -------
    DataFrame
        Rows of `table`, with its index.
    """
    with_pet = set(visits.loc[visits["kind"] == "paired", "subject"])
    return table[(table["role"] == "mri_only") & ~table["subject"].isin(with_pet)]


def synthetic_volumes(
    path: str | Path, table: str | Path, visits: pd.DataFrame, mask: Array
) -> tuple[Array, list[float]]:
    """Read the PET made for controls with an MRI alone, on the scale of the real PET.

    Each volume is scaled by itself as a real one is (`imaging.intensity.scale_image`), as the paper
    scales at image level before patches are fed to the autoencoder (section 2.2): networks fall
    short of the brightest voxels, by which one could tell their PET from real PET.

    Parameters
    ----------
    path, table
        `pet.npy` and `visits.tsv` of a model's synthesis in one fold.
    visits
        The dataset's table, see `alone_rows`.
    mask
        (X, Y, Z) bool, the brain.

    Returns
    -------
    volumes, tops
        (n, X, Y, Z) float32, 0 to 1; the value of each before, that became 1.

    Raises
    ------
    InputError
        The two files are not of the same people, or none of them has an MRI alone.
    """
    made, rows = np.load(path, mmap_mode="r"), read_tsv(table, dtype=TEXT)
    if len(rows) != len(made):
        raise InputError(f"{path}: {len(made)} volumes, {len(rows)} rows in {table}; make it again")
    alone = np.flatnonzero(rows.index.isin(alone_rows(rows, visits).index))
    if not len(alone):
        raise InputError(
            f"{table}: nobody has the role mri_only and no PET at any visit; the study has no "
            "control with an MRI alone whose PET could be synthesised"
        )
    scaled = [scale_image(np.asarray(made[index], np.float32), mask) for index in alone]
    return np.stack([one for one, _ in scaled]), [measures["top"] for _, measures in scaled]


def matched(volumes: Array, real: Sequence[Array], mask: Array) -> Array:
    """Give volumes the intensities of real PET: histogram matching, which the paper's end proposes.

    Each volume's quantiles inside the mask become the mean quantiles of the real ones; which voxel
    is brighter than which stays.

    Parameters
    ----------
    volumes, real
        (n, X, Y, Z) and (m, X, Y, Z).
    mask
        (X, Y, Z) bool.

    Returns
    -------
    array (n, X, Y, Z)
        float32, zero outside the mask.
    """
    wanted = np.mean([np.quantile(one[mask], QUANTILES) for one in real], axis=0)
    made = np.zeros(volumes.shape, np.float32)
    for row, volume in enumerate(volumes):
        made[row][mask] = np.interp(volume[mask], np.quantile(volume[mask], QUANTILES), wanted)
    return made
