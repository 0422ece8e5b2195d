"""Local paths along anatomy: one for each lobe of the brain (part G15).

GLA-GAN's paper leaves open whether "anatomically informed rather than generic cuboid patches
would be more efficient".
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import ResidualPath, memory_format_of

# AAL's labels (Tzourio-Mazoyer 2002), left and right in turn, by first and last of each run.
LOBES: Mapping[str, tuple[tuple[int, int], ...]] = {
    "frontal": (
        (1, 28),  # precentral, frontal gyri, operculum, motor area, olfactory, rectus
        (69, 70),  # paracentral lobule
    ),
    "central": (
        (29, 42),  # insula, cingulum, hippocampus, parahippocampal gyrus, amygdala
        (71, 78),  # caudate, putamen, pallidum, thalamus
    ),
    "occipital": ((43, 54),),  # calcarine, cuneus, lingual, occipital gyri
    "temporal": ((55, 56), (79, 90)),  # fusiform; Heschl, temporal gyri and poles
    "parietal": ((57, 68),),  # postcentral, parietal, supramarginal, angular, precuneus
    "cerebellum": ((91, 116),),  # hemispheres and vermis
}
STEP = 4  # sides of the boxes are multiples of it, as far as the volume goes

Box = tuple[slice, slice, slice]


def lobe_of_label() -> Tensor:
    """Return (117,) uint8: the lobe, from 1 in the order of `LOBES`, of each AAL label; 0 of 0."""
    table = torch.zeros(117, dtype=torch.uint8)
    for lobe, runs in enumerate(LOBES.values(), start=1):
        for first, last in runs:
            table[first : last + 1] = lobe
    return table


def lobe_map(atlas: Tensor, mask: Tensor) -> Tensor:
    """Give every voxel of the brain to one lobe.

    Parameters
    ----------
    atlas
        (X, Y, Z) AAL labels, 0 where none is.
    mask
        (X, Y, Z) bool; the brain.

    Returns
    -------
    Tensor
        (X, Y, Z) uint8: the lobe from 1, that of the nearest label where there is none; 0 outside
        the brain.

    Raises
    ------
    InputError
        If a label is not of AAL, or a lobe has no voxel.
    """
    labels, brain = atlas.cpu().long(), mask.cpu().bool()
    if labels.max() > 116:
        raise InputError(f"patches: lobes: the atlas holds the label {labels.max()}; AAL has 116")
    labelled = lobe_of_label()[labels]
    distances = [squared_distance(labelled == lobe) for lobe in range(1, len(LOBES) + 1)]
    lobes = (1 + torch.stack(distances).argmin(dim=0)).to(torch.uint8) * brain
    empty = [name for i, name in enumerate(LOBES, start=1) if not (lobes == i).any()]
    if empty:
        raise InputError(f"patches: lobes: the atlas has no voxel of {', '.join(empty)}")
    return lobes


def squared_distance(inside: Tensor) -> Tensor:
    """Return the squared distance, in voxels, of every voxel to the nearest that is true.

    Axis after axis: the distance in a volume is the least, over a line, of the distance along
    the line and that of the lower dimensions (Felzenszwalb and Huttenlocher 2012).
    """
    distance = torch.where(inside, 0.0, torch.inf)
    for axis, size in enumerate(inside.shape):
        steps = (torch.arange(size)[:, None] - torch.arange(size)).float().square()
        lines = torch.movedim(distance, axis, -1)
        distance = torch.movedim((lines[..., None, :] + steps).amin(dim=-1), -1, axis)
    return distance


def bounding_box(inside: Tensor, step: int = STEP) -> Box:
    """Return the box of the voxels that are true, its sides rounded up to multiples of `step`.

    It stays within the volume, whose side limits it.
    """
    box = []
    for axis, size in enumerate(inside.shape):
        others = [other for other in range(3) if other != axis]
        places = inside.any(dim=others[1]).any(dim=others[0]).nonzero().flatten()
        first, last = int(places[0]), int(places[-1])
        length = min(-(-(last + 1 - first) // step) * step, size)
        start = min(first, size - length)
        box.append(slice(start, start + length))
    return box[0], box[1], box[2]


class LobePaths(nn.Module):
    """A residual path with weights of its own for each lobe.

    A path gets its lobe's MRI in the lobe's bounding box, zero where other lobes are, and its
    features are put back at the lobe's voxels alone. Outside the brain there are no features.

    Parameters
    ----------
    filters
        Widths of each path's residual blocks.

    Notes
    -----
    Which voxel is of which lobe is part of the state: `use_atlas` sets it before training, and
    `load_state_dict` brings it back.
    """

    def __init__(self, filters: Sequence[int]) -> None:
        super().__init__()
        self.paths = nn.ModuleList(ResidualPath(1, filters) for _ in LOBES)
        self.width = filters[-1]
        self.register_buffer("lobes", torch.zeros(0, 0, 0, dtype=torch.uint8))
        self.boxes: list[Box] = []

    def use_atlas(self, atlas: Tensor, mask: Tensor) -> None:
        """Take the lobes from an AAL atlas and a brain mask, (X, Y, Z) both."""
        self._use_lobes(lobe_map(atlas, mask).to(self.lobes.device))

    def _use_lobes(self, lobes: Tensor) -> None:
        self.lobes = lobes
        count = len(self.paths) if lobes.numel() else 0
        self.boxes = [bounding_box(lobes == lobe) for lobe in range(1, count + 1)]

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        # The map comes in the shape that it was stored in, whatever is here.
        stored = state_dict.get(f"{prefix}lobes")
        if stored is not None:
            self._use_lobes(stored.to(self.lobes.device, copy=True))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def forward(self, volume: Tensor) -> Tensor:
        """Map (B, 1, X, Y, Z) to (B, filters[-1], X, Y, Z)."""
        if volume.shape[2:] != self.lobes.shape:
            raise InputError(
                f"patches: lobes: volumes of {tuple(volume.shape[2:])} do not fit the lobes of "
                f"{tuple(self.lobes.shape)}; the lobes come from the atlas or the weights"
            )
        fused = None
        for lobe, (path, box) in enumerate(zip(self.paths, self.boxes, strict=True), start=1):
            place = (slice(None), slice(None), *box)
            own = (self.lobes[box] == lobe).to(volume.dtype)
            features = path(volume[place] * own) * own
            if fused is None:
                fused = volume.new_zeros(
                    len(volume), self.width, *volume.shape[2:], dtype=features.dtype
                ).contiguous(memory_format=memory_format_of(features))
            fused[place] += features
        return fused
