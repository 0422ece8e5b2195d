"""Decision values at every voxel: features of some slices, a one-class SVM a voxel, the next ones.

Features are never kept for the whole brain: 1.5 million voxels of 92 people would take 35 GB. Those
of as many slices as `TOGETHER` allows, one at least, are made, scored and dropped.
"""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch

from mri2pet.anomaly.chunks import Gamma
from mri2pet.anomaly.ocsvm import fit_score
from mri2pet.models.siamese import dense_in_parts

if TYPE_CHECKING:
    from mri2pet.models.siamese import PatchAutoencoder

log = logging.getLogger(__name__)

TOGETHER = 2**28  # bytes of features that are scored together
MEMORY = {"cpu": 2**29, "cuda": 2**33}  # bytes that the one-class SVMs work in


@torch.no_grad()
def slice_features(
    network: "PatchAutoencoder",
    slices: np.ndarray,
    where: np.ndarray,
    device: torch.device,
    at_once: int = 8,
) -> np.ndarray:
    """Code the patches around chosen voxels of one slice of several people.

    Parameters
    ----------
    slices
        (N, X, Y) float32.
    where
        (X, Y) bool, V voxels.
    at_once
        Slices in the network at a time.

    Returns
    -------
    array (V, N, features)
        float32, voxels in the order of `where`.
    """
    chosen = torch.from_numpy(np.flatnonzero(where)).to(device)
    made = []
    for start in range(0, len(slices), at_once):
        part = torch.from_numpy(np.ascontiguousarray(slices[start : start + at_once]))
        codes = dense_in_parts(network, part[:, None].to(device), at_once)
        made.append(codes.flatten(2)[:, :, chosen].permute(2, 0, 1).cpu())
    return torch.cat(made, 1).numpy()


def slice_groups(mask: np.ndarray, most: int) -> Iterator[list[int]]:
    """Yield transverse slices with brain in them, together as long as they hold `most` voxels."""
    group: list[int] = []
    held = 0
    for z in np.flatnonzero(mask.any(axis=(0, 1))).tolist():
        voxels = int(mask[:, :, z].sum())
        if group and held + voxels > most:
            yield group
            group, held = [], 0
        group.append(z)
        held += voxels
    if group:
        yield group


def decision_maps(
    network: "PatchAutoencoder",
    controls: np.ndarray,
    people: np.ndarray,
    mask: np.ndarray,
    *,
    nu: float,
    gamma: Gamma = "scale",
    device: str | torch.device = "cpu",
    memory: int | None = None,
) -> np.ndarray:
    """Score people at every voxel of the brain by a one-class SVM of the controls there.

    Parameters
    ----------
    network
        Encoder of patches, in evaluation mode.
    controls, people
        (n, X, Y, Z) and (m, X, Y, Z) float32; may be memory-mapped, read slice by slice.
    mask
        (X, Y, Z) bool.
    nu, gamma, device, memory
        As `ocsvm.fit_score`; memory is by default `MEMORY` of the device.

    Returns
    -------
    array (m, X, Y, Z)
        float32 decision values over nu n, the sum of the dual variables: the mean kernel with the
        support vectors less its margin. Negative outside the controls' region; zero off the mask.
    """
    place = torch.device(device)
    network = network.to(place)
    out = np.zeros((len(people), *mask.shape), np.float32)
    memory = memory or MEMORY.get(place.type, MEMORY["cpu"])
    known, rescued = len(controls), 0
    bytes_a_voxel = 4 * network.features * (known + len(people))
    for group in slice_groups(mask, TOGETHER // bytes_a_voxel):
        parts = []
        for z in group:
            slices = np.concatenate([controls[..., z], people[..., z]], dtype=np.float32)
            parts.append(slice_features(network, slices, mask[:, :, z], place))
        features = np.concatenate(parts) if len(parts) > 1 else parts[0]
        pair = features[:, :known], features[:, known:]
        scores = fit_score(*pair, nu=nu, gamma=gamma, device=place, memory=memory)
        rescued += scores.rescued
        ends = np.cumsum([len(part) for part in parts])[:-1]
        for z, values in zip(group, np.split(scores.patients, ends), strict=True):
            out[:, mask[:, :, z], z] = values.T / (nu * known)
    if rescued:
        log.info("%d voxels went to scikit-learn", rescued)
    return out
