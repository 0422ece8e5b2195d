"""One raw T1 taken to the grid of a model, step by step as the rules of preprocessing do.

Steps hand volumes on through files, as rules do: what a file rounds is rounded here too, so that
both ways end in the same bytes. Where the rules have a picture and a sidecar there is nothing.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.affines import voxel_sizes

from mri2pet.bundles.templates import template_files
from mri2pet.errors import InputError
from mri2pet.imaging.volume import (
    Array,
    Volume,
    array,
    like,
    load_scan,
    load_volume,
    save_intensities,
    save_volume,
)
from mri2pet.imaging.warp import Warp

TISSUES = ("gm", "wm", "csf")


@dataclass(frozen=True)
class Prepared:
    """A T1 that is ready for a model.

    Attributes
    ----------
    maps
        (maps, X, Y, Z) float32 on the grid of the networks, in the order of the manifest.
    measures
        Of quality control.
    to_template
        4x4, points of the T1's world to MNI152 by all affine steps, mm.
    warp
        Of a nonlinear space; None for an affine one.
    affine, shape
        Of the T1 as it came.
    """

    maps: Array
    measures: Mapping[str, float | None]
    to_template: Array
    warp: Warp | None
    affine: Array
    shape: tuple[int, ...]


def prepare(t1: str | Path | Volume, about: Mapping[str, Any]) -> Prepared:
    """Take a raw T1 to the grid of a bundle's networks.

    Parameters
    ----------
    t1
        A NIfTI file, a folder with one series of DICOM, or an image of nibabel.
    about
        The bundle's manifest.

    Raises
    ------
    ScanError
        The scan cannot be used, or fails quality control.
    InputError
        The templates are not those of the bundle.
    """
    from mri2pet.conversion.nifti import to_bids
    from mri2pet.imaging import acpc
    from mri2pet.imaging.bias import n4
    from mri2pet.imaging.intensity import normalise
    from mri2pet.imaging.qc import mri_measures, verdict
    from mri2pet.imaging.register import brain_to_template
    from mri2pet.imaging.resample import res2_grid, resample_brain
    from mri2pet.imaging.segment import segment
    from mri2pet.imaging.skullstrip import brain_mask

    settings, limits = about["preproc"], about["preproc"]["qc"]
    template, brain = (load_volume(path) for path in template_files(about["templates"]))
    with tempfile.TemporaryDirectory(prefix="mri2pet-") as work:
        keep = _Keeper(Path(work))
        scan = Path(work, "given.nii.gz") if isinstance(t1, nib.spatialimages.SpatialImage) else t1
        if scan is not t1:
            nib.save(t1, scan)
        image = Path(work, "t1w.nii.gz")
        to_bids(scan, None, "MRI", image)
        raw = nib.load(image)
        head = load_scan(image)
        marks = acpc.find_landmarks(head, template, brain)
        to_acpc = acpc.acpc_transform(marks)
        straight = keep(acpc.apply_acpc(head, to_acpc))
        initial = marks.affine @ np.linalg.inv(to_acpc)
        corrected, _ = n4(straight, settings["n4_shrink"], brain, initial)
        corrected = keep(corrected, save_intensities)
        volumes = limits["min_brain_ml"], limits["max_brain_ml"]
        mask = brain_mask(corrected, settings["skullstrip"], volumes)
        brain_ml = round(float(mask.sum() * abs(np.linalg.det(corrected.affine[:3, :3])) / 1000), 1)
        mask = keep(like(corrected, mask))
        scaled = normalise(array(corrected), array(mask) > 0)
        scaled = keep(like(corrected, scaled), save_intensities)
        affine = brain_to_template(scaled, template, brain, initial)
        res2, res2_mask = map(keep, resample_brain(scaled, mask, affine, res2_grid(template)))
        tissues, _, _ = segment(res2, res2_mask)
        measures = {"brain_ml": brain_ml} | mri_measures(
            array(res2),
            array(res2_mask) > 0,
            array(res2_grid(template)),
            array(res2_grid(brain)) > 0,
            voxel_sizes(res2_grid(brain).affine),
        )
        verdict(measures, limits)
        maps, warp = _in_space(about, keep, scaled, mask, affine, res2, tissues, template, brain)
    return Prepared(
        maps=np.stack([array(maps[name]) for name in about["maps"]]),
        measures=measures,
        to_template=affine @ to_acpc,
        warp=warp,
        affine=raw.affine,
        shape=raw.shape,
    )


class _Keeper:
    """Writes a volume and reads it again, as one rule does for the next."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0

    def __call__(
        self, volume: Volume, save: Callable[[str | Path, Volume], None] = save_volume
    ) -> Volume:
        self.count += 1
        path = self.folder / f"{self.count}.nii.gz"
        save(path, volume)
        return load_volume(path)


def _in_space(
    about: Mapping[str, Any],
    keep: _Keeper,
    scaled: Volume,
    mask: Volume,
    affine: Array,
    res2: Volume,
    tissues: Mapping[str, Array],
    template: Volume,
    brain: Volume,
) -> tuple[dict[str, Volume], Warp | None]:
    """Return the maps of a model's space, and the warp that leads to it."""
    from mri2pet.imaging.resample import res15_grid, resize, spm_grid
    from mri2pet.imaging.syn import syn_to_template
    from mri2pet.imaging.warp import load_warp, resample_brain_through, resample_through, save_warp

    space, syn = about["space"], about["preproc"]["syn"]
    maps = {name: keep(resize(like(res2, tissues[name.upper()]))) for name in TISSUES}
    if space["name"] == "linear":
        return {"mri": keep(resize(res2)), **maps}, None
    if space["name"] not in ("nonlinear", "anomaly"):
        raise InputError(f"bundle: no T1 is taken to its space, {space['name']}")
    found, _ = syn_to_template(scaled, template, brain, affine, syn["voxel_mm"], syn["iterations"])
    path = keep.folder / "warp.nii.gz"
    save_warp(path, found)
    warp = load_warp(path)
    own = space["name"] == "nonlinear"
    grid = res15_grid(template) if own else spm_grid(space["voxel_mm"])
    placed = resample_brain_through(scaled, mask, affine, warp, grid)
    if own:
        placed = resize(placed, tuple(space["grid"]))
    carried = {
        name: keep(resample_through(volume, np.eye(4), warp, placed, order=1))
        for name, volume in maps.items()
    }
    return {"mri": keep(placed), **carried}, warp
