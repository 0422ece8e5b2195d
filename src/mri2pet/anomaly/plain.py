"""Plain detectors, which need no support vectors: what a one-class SVM must do better than.

Their values are decision values as well: low where suspicious. Clusters are found in the same way,
where the held-out controls' mean and deviation make them z scores (`maps`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from mri2pet.anomaly.training_sets import TEXT, FoldPeople, asked_volumes, training_volumes
from mri2pet.errors import InputError
from mri2pet.files import read_tsv
from mri2pet.imaging.intensity import scale_image
from mri2pet.models.siamese import SLOPE

if TYPE_CHECKING:
    from mri2pet.models.siamese import PatchAutoencoder

FEWEST = 4  # training controls of known age: a line through fewer is noise
PATCHES = 2**25  # numbers of patches that are restored together
MATRIX = 2**16  # numbers of a layer's matrix; above, a convolution is faster


def expected_by_age(
    known: np.ndarray, ages: np.ndarray, asked: np.ndarray, wanted: np.ndarray | None = None
) -> np.ndarray:
    """Return the PET that controls of each asked age have on average, voxel by voxel.

    Linear regression on age over the training controls (as in voxelwise statistical maps with age
    as a covariate). Who has no known age gets the controls' mean, and so does everybody where
    fewer than `FEWEST` controls have one or all have the same.

    Parameters
    ----------
    known
        (n, X, Y, Z) PET of training controls.
    ages, asked
        (n,) and (m,) years; NaN where not known.
    wanted
        (X, Y, Z) bool: elsewhere the mean is returned. None: everywhere.

    Returns
    -------
    array (m, X, Y, Z)
        float32.
    """
    mean = known.mean(axis=0)
    out = np.repeat(mean[None], len(asked), axis=0)
    some = np.isfinite(ages)
    if some.sum() < FEWEST or np.ptp(ages[some]) == 0:
        return out
    centred = ages[some] - ages[some].mean()
    inside = np.ones(mean.shape, bool) if wanted is None else wanted
    own = known[some][:, inside]
    slope = centred @ own / (centred @ centred)
    for row in np.flatnonzero(np.isfinite(asked)):
        out[row, inside] = own.mean(axis=0) + slope * (asked[row] - ages[some].mean())
    return out


def ages_of(rows: pd.DataFrame) -> np.ndarray:
    """Return the ages (n,) of visits in years, NaN where there is none."""
    if "age" not in rows:
        return np.full(len(rows), np.nan)
    return pd.to_numeric(rows["age"], errors="coerce").to_numpy(float)


@torch.no_grad()
def reconstruction_maps(
    network: "PatchAutoencoder",
    people: np.ndarray,
    mask: np.ndarray,
    device: str | torch.device = "cpu",
) -> np.ndarray:
    """Return how badly the autoencoder restores the patch around every voxel, turned in sign.

    Parameters
    ----------
    network
        In evaluation mode.
    people
        (m, X, Y, Z) float32.
    mask
        (X, Y, Z) bool.

    Returns
    -------
    array (m, X, Y, Z)
        float32, minus the mean squared error in units of the PET's variance; zero off the mask.
    """
    network = network.to(device)
    half, side = network.patch // 2, network.patch
    at_once = max(1, PATCHES // side**2)
    restore = restorer(network)
    out = np.zeros((len(people), *mask.shape), np.float32)
    for z in np.flatnonzero(mask.any(axis=(0, 1))):
        where = torch.from_numpy(np.flatnonzero(mask[:, :, z])).to(device)
        for number, person in enumerate(people):
            one = torch.from_numpy(np.ascontiguousarray(person[None, None, :, :, z], np.float32))
            one = one.to(device)
            around = network.standardised(functional.pad(one, (half,) * 4))
            codes = network.dense(one)[0].flatten(1)[:, where].T
            patches = functional.unfold(around, side)[0][:, where].T
            parts = zip(codes.split(at_once), patches.split(at_once), strict=True)
            errors = [(restore(code) - patch).square().mean(1) for code, patch in parts]
            out[number, mask[:, :, z], z] = -torch.cat(errors).cpu().numpy()
    return out


def restorer(network: "PatchAutoencoder") -> Callable[[Tensor], Tensor]:
    """Return what restores codes (N, features) to standardised patches (N, P P).

    The decoder's layers as matrices where these are small: several times as fast as convolutions of
    a few voxels.
    """
    shape, matrices = torch.Size((network.features, 1, 1)), []
    for layer in network.decoder:
        count = shape.numel()
        shift = layer(layer.weight.new_zeros((1, *shape)))
        if count * shift.numel() > MATRIX:
            return lambda codes: network.decode(codes).flatten(1)
        units = torch.eye(count, device=shift.device).view(count, *shape)
        matrices.append(((layer(units) - shift).flatten(1), shift.flatten(1)))
        shape = shift.shape[1:]

    def restore(codes: Tensor) -> Tensor:
        for matrix, shift in matrices[:-1]:
            codes = functional.leaky_relu(torch.addmm(shift, codes, matrix), SLOPE)
        return torch.addmm(matrices[-1][1], codes, matrices[-1][0])

    return restore


def synthetic_of(rows: pd.DataFrame, sources: Sequence[tuple[str, str]]) -> np.ndarray:
    """Gather the synthetic PET of some visits.

    Parameters
    ----------
    rows
        (m rows) `subject` and `visit`.
    sources
        `pet.npy` and `visits.tsv` of a synthesis each: one of controls held out, one of patients.

    Returns
    -------
    array (m, X, Y, Z)
        float32.

    Raises
    ------
    InputError
        If a visit has no synthetic PET, or one of a generator that may have seen the person.
    """
    place: dict[tuple[str, str], np.ndarray] = {}
    for path, table in sources:
        made, made_for = np.load(path, mmap_mode="r"), read_tsv(table, dtype=TEXT)
        for number, row in enumerate(made_for.itertuples(index=False)):
            if row.role in ("test", "patient"):
                place[row.subject, row.visit] = made[number]
    found = []
    for key in zip(rows["subject"], rows["visit"], strict=True):
        if key not in place:
            files = " and ".join(table for _, table in sources)
            raise InputError(
                f"{files}: no synthetic PET of {key[0]} {key[1]} by a generator that has not seen "
                "this person; synthesise again"
            )
        found.append(np.asarray(place[key], np.float32))
    return np.stack(found)


@dataclass(frozen=True)
class Sources:
    """What plain detectors read.

    Attributes
    ----------
    pet, seen, mask
        The dataset's arrays; `seen` None: all is measured.
    synthetic
        By model and fold of its generator: `pet.npy` and `visits.tsv` of the controls that it has
        not seen, and of the patients.
    encoders
        By training set and fold of the detector: the weights of the encoder.
    network, device
        The encoder, and where it computes.
    """

    pet: np.ndarray
    seen: np.ndarray | None
    mask: np.ndarray
    synthetic: Mapping[tuple[str, int], Sequence[tuple[str, str]]]
    encoders: Mapping[tuple[str, int], str]
    network: "PatchAutoencoder"
    device: torch.device


@dataclass(frozen=True)
class PlainScores:
    """Decision values of one plain detector, as `fold_scores.score_folds` asks for them.

    Attributes
    ----------
    entry
        Of `gan_anomaly.detector.plain`.
    sources
        What it reads.
    generators
        Folds of the generators; a fold of the detector has that of fold modulo this number.
    """

    entry: Mapping[str, Any]
    sources: Sources
    generators: int

    def __call__(self, fold: int, people: FoldPeople, asked: pd.DataFrame) -> np.ndarray:
        """Return (m, X, Y, Z) of the m visits asked for."""
        given, measure = self.sources, self.entry["measure"]
        pet = asked_volumes(given.pet, asked, people.training, given.seen)
        if measure == "difference":
            key = self.entry["model"], fold % self.generators
            made = synthetic_of(asked, given.synthetic[key])
            # as synthetic PET that is learnt from: on the scale of the real one
            return pet - np.stack([scale_image(volume, given.mask)[0] for volume in made])
        if measure == "reconstruction":
            path = given.encoders[self.entry["training_set"], fold]
            weights = torch.load(path, map_location="cpu", weights_only=True)
            given.network.load_state_dict(weights)
            return reconstruction_maps(given.network.eval(), pet, given.mask, given.device)
        known = training_volumes(given.pet, people.training, seen=given.seen)
        ages = ages_of(people.training), ages_of(asked)
        if not self.entry["age"]:
            ages = tuple(np.full(len(own), np.nan) for own in ages)
        return np.where(given.mask, pet - expected_by_age(known, *ages, given.mask), 0)
