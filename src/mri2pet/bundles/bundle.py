"""A bundle that is opened: its generators, and what they make of an MRI."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from mri2pet.bundles.manifest import CONTROLS, GENERATOR, GRID, REGIONS, read_manifest
from mri2pet.bundles.placed import on_t1
from mri2pet.bundles.weights import load_arrays, load_weights
from mri2pet.config.systems import resolve
from mri2pet.datasets.parts import Parts
from mri2pet.errors import InputError
from mri2pet.files import read_tsv
from mri2pet.imaging.volume import Volume
from mri2pet.models.registry import side_information
from mri2pet.synthesis.draws import draw_pets
from mri2pet.synthesis.smoothing import smooth, voxel_size
from mri2pet.synthesis.stack_parts import synthesise_parts
from mri2pet.synthesis.temperature import widened
from mri2pet.synthesis.whole_volume import synthesise
from mri2pet.training.data import seed_from
from mri2pet.training.settings import choose_device

Array = np.ndarray
Person = Mapping[str, Any]  # age in years, sex (F, M), group; what is not there is not known
NATIVE, TEMPLATE = "T1w", "MNI152"  # spaces in which a PET is given


def load_bundle(folder: str | Path) -> "Bundle":
    """Open a bundle and check every file of it.

    Parameters
    ----------
    folder
        As a run leaves it at `results/{system}/bundles/{model}`.

    Raises
    ------
    InputError
        It is damaged, is no bundle of a generator, or is of a newer mri2pet; the message says
        which.
    """
    about = read_manifest(folder)
    if about["kind"] != GENERATOR:
        raise InputError(f"{folder}: is the bundle of a {about['kind']}; open it by load_detector")
    return Bundle(Path(folder), about)


class Bundle:
    """A trained model.

    Parameters
    ----------
    folder
        Of the bundle.
    about
        Its manifest, as `manifest.read_manifest` gives it.

    Attributes
    ----------
    mask
        (X, Y, Z) bool, the brain on the grid of the networks.
    atlas
        (X, Y, Z) uint8, AAL's labels on it; None for a model that makes no PET.
    generators
        A network a fold, in evaluation mode.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self.folder, self.about = folder, about
        grids = load_arrays(folder / GRID)
        self.mask: Array = grids["mask"].astype(bool)
        self.atlas: Array | None = grids.get("atlas")
        if list(self.mask.shape) != about["space"].get("shape"):
            raise InputError(f"{folder / GRID}: is of another grid than the manifest says")

    @cached_property
    def generators(self) -> list[nn.Module]:
        """Networks of all folds, on the CPU."""
        config = self.about["entry"]["generator"]
        return [load_weights(self.folder / each["weights"], config) for each in self.about["folds"]]

    @property
    def affine(self) -> Array:
        """(4, 4), voxel of the networks' grid to MNI152, RAS mm.

        Raises
        ------
        InputError
            The model works on the grid of each scan.
        """
        if "affine" not in self.about["space"]:
            raise InputError(f"{self.folder}: works on each scan's own grid, and not in MNI152")
        return np.array(self.about["space"]["affine"], float)

    @property
    def regions(self) -> pd.DataFrame:
        """Regions of the atlas (`index`, `name`)."""
        return read_tsv(self.folder / REGIONS)

    @property
    def controls(self) -> pd.DataFrame:
        """Uptake of regions in the synthetic PET of held-out controls (`people.control_uptake`)."""
        return read_tsv(self.folder / CONTROLS)

    def volumes(self, maps: Sequence[Array] | Array, person: Person | None = None) -> Array:
        """Make one volume with each generator.

        Parameters
        ----------
        maps
            (maps, X, Y, Z) as the manifest's `maps` names them, on the grid of the networks; an MRI
            is 0 to 1, tissues are probabilities.
        person
            What a model with side information is told: `age` in years, `sex` (F or M), `group`.
            What is not there is unknown to it.

        Returns
        -------
        ndarray
            (folds, X, Y, Z) float32; of a PET uptake in 0 to 1 (the manifest's `preproc` says of
            what), zero outside the mask.

        Raises
        ------
        InputError
            The maps are of another number or grid; the sex or group is none that the model knows.
        """
        shown = np.asarray(maps, np.float32)
        wanted = (len(self.about["maps"]), *self.mask.shape)
        if shown.shape != wanted:
            raise InputError(f"maps: shape {shown.shape}, and the model is shown {wanted}")
        one = [shown[0] if len(shown) == 1 else shown]
        entry, crop, device = self.about["entry"], self.about["crop"], choose_device()
        parts = Parts.of(entry)
        told = self._told(person)
        made = []
        for generator, fold in zip(self.generators, self.about["folds"], strict=True):
            if parts is not None:
                volume = synthesise_parts(generator, one, self.mask, parts, device, crop)[0]
            else:
                options = {"device": device, "crop": crop, "side": told}
                volume = synthesise(generator, one, self.mask, **options)[0]
            if width := fold["smoothing_fwhm_mm"]:
                volume = smooth(volume, width, voxel_size(self.affine), self.mask)
            made.append(volume)
        return np.stack(made)

    def draws(self, maps: Sequence[Array] | Array, person: Person | None = None) -> Array | None:
        """Draw PETs from what a model with draws thinks possible, as many from each generator.

        Parameters
        ----------
        maps, person
            As for `volumes`.

        Returns
        -------
        ndarray or None
            (draws, X, Y, Z) float32, uptake in 0 to 1; None for a model that gives one PET of an
            MRI. Their noise is the same for everybody and every call.
        """
        settings = self.about.get("draws")
        if not settings:
            return None
        mri, device = np.asarray(maps, np.float32)[0], choose_device()
        told = self._told(person)
        share = -(-int(settings["draws"]) // len(self.generators))
        mask, made = torch.from_numpy(self.mask).to(device), []
        for fold, generator in enumerate(self.generators):
            wide = self.about["folds"][fold].get("temperatures")
            spreads = widened(generator.to(device), mask, wide, settings["temperature"])
            seed = seed_from(settings["seed"], fold)
            options = (share, seed, spreads, told, device)
            made.append(draw_pets(generator, mri, self.mask, *options, crop=self.about["crop"]))
        return np.concatenate(made)[: settings["draws"]]

    def pet(
        self, t1: str | Path | Volume, person: Person | None = None, space: str = NATIVE
    ) -> Volume:
        """Make the synthetic PET of a raw T1-weighted MRI.

        Parameters
        ----------
        t1
            A NIfTI file, a folder with one series of DICOM, or a nibabel image: a whole head,
            nothing done to it.
        person
            As for `volumes`.
        space
            `T1w`: on the grid of the T1; `MNI152`: on the grid of the networks.

        Returns
        -------
        nibabel image
            float32, the mean over the generators: uptake from 0 to 1, 1 being the manifest's
            `preproc.pet_ceiling` times the mean of its `preproc.pet_reference`.

        Raises
        ------
        ScanError
            The scan cannot be used; the message says why.
        InputError
            The model makes no PET, or `space` is none of the two.
        """
        if self.about["target"] != "pet":
            raise InputError(f"{self.folder}: makes no PET; use `volumes`")
        if space not in (NATIVE, TEMPLATE):
            raise InputError(f"space: {space!r} is neither {NATIVE} nor {TEMPLATE}")
        # By name: a job of `apply` needs nothing of what preprocesses a T1.
        ready = resolve("mri2pet.bundles.prepare:prepare")(t1, self.about)
        mean = Volume(self.volumes(ready.maps, person).mean(axis=0), self.affine)
        if space == TEMPLATE:
            return mean
        return on_t1([mean], ready.to_template, ready.warp, ready.affine, ready.shape)[0]

    def _told(self, person: Person | None) -> dict[str, Tensor] | None:
        """Return what a model with side information is told of a person; None for another."""
        side = side_information(self.about["entry"]["generator"])
        return None if side is None else side.tensors(_row(person or {}, self.about["groups"]))


def _row(person: Person, groups: Sequence[str]) -> dict[str, list[Any]]:
    """Return a person as a table of one row, in the words that a model may know."""
    known = {key: person.get(key) for key in ("age", "sex", "group")}
    known = {key: None if pd.isna(value) else value for key, value in known.items()}
    if known["group"] not in (None, *groups):
        raise InputError(
            f"person: group {known['group']!r} is none that the model knows ({', '.join(groups)})"
        )
    return {key: [value] for key, value in known.items()}
