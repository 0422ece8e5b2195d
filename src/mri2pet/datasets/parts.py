"""What a network sees of a volume where that is not all of it: slices side by side, or patches."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from mri2pet.errors import InputError

KINDS = {"slices": 2, "patches": 3}  # and the dimensions of the network


def patch_starts(length: int, size: int, stride: int) -> list[int]:
    """Return where patches begin along one axis; the last one is flush with the end.

    Raises
    ------
    InputError
        If a patch does not fit, or the stride leaves gaps.
    """
    if not 1 <= stride <= size:
        raise InputError(f"patches of {size} voxels at stride {stride} do not cover a volume")
    if size > length:
        raise InputError(f"a patch of {size} voxels does not fit an axis of {length}")
    starts = list(range(0, length - size + 1, stride))
    return starts if starts[-1] == length - size else [*starts, length - size]


@dataclasses.dataclass(frozen=True)
class Parts:
    """The block `parts` of a model: how volumes are cut for it and put together again.

    Attributes
    ----------
    kind
        `slices`: `size` adjacent transverse slices as channels of a 2D network (semi-3D).
        `patches`: cubes of `size` voxels a side for a 3D network.
    size
        Slices, or voxels a side.
    stride
        Voxels between neighbouring parts in training; the last part of an axis is flush with its
        end.
    synthesis_stride
        The same at synthesis; `stride` if not named.
    validation_stride
        The same where a training is validated; that of synthesis if not named.
    keep
        At synthesis, so many slices or voxels a side in each part's middle count; null for all,
        averaged where parts overlap.
    per_epoch
        Parts drawn at random for an epoch of training; null for every part once.
    min_brain
        Share of a part's voxels that must be brain for it to be trained on. A part without any
        brain never is.
    batch
        Parts at once, at most, where volumes are put together.
    """

    kind: str
    size: int
    stride: int
    synthesis_stride: int | None = None
    validation_stride: int | None = None
    keep: int | None = None
    per_epoch: int | None = None
    min_brain: float = 0.0
    batch: int = 16

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Parts":
        """Check a block `parts`; an `InputError` names the key at fault."""
        try:
            parts = cls(**config)
        except TypeError as error:
            known = ", ".join(field.name for field in dataclasses.fields(cls))
            raise InputError(f"parts: {error}; keys are {known}") from error
        kept = parts.size if parts.keep is None else parts.keep
        checks = {
            "kind": parts.kind in KINDS,
            "size": parts.size >= 1,
            "stride": 1 <= parts.stride <= parts.size,
            "synthesis_stride": 1 <= parts.stacking_stride <= kept,
            "validation_stride": 1 <= parts.in_validation.stacking_stride <= kept,
            "keep": kept <= parts.size,
            "per_epoch": parts.per_epoch is None or parts.per_epoch >= 1,
            "min_brain": 0 <= parts.min_brain <= 1,
            "batch": parts.batch >= 1,
        }
        for key, good in checks.items():
            if not good:
                found = getattr(parts, key)
                raise InputError(
                    f"parts.{key}: {found} is not possible with size {parts.size}, stride "
                    f"{parts.stride}, keep {parts.keep}"
                )
        return parts

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> "Parts | None":
        """Read the block `parts` of a model's entry; None for one that sees whole volumes."""
        block = model.get("parts")
        return None if block is None else cls.from_config(block)

    @property
    def stacking_stride(self) -> int:
        """Voxels between neighbouring parts at synthesis."""
        return self.stride if self.synthesis_stride is None else self.synthesis_stride

    @property
    def in_validation(self) -> "Parts":
        """The same parts, put together as a training's validation does."""
        if self.validation_stride is None:
            return self
        return dataclasses.replace(self, synthesis_stride=self.validation_stride)

    @property
    def dimensions(self) -> int:
        """Of the network: 2 or 3."""
        return KINDS[self.kind]

    @property
    def channels(self) -> int:
        """Of the network's input and output."""
        return self.size if self.kind == "slices" else 1

    def sides(self, volume: Sequence[int]) -> tuple[int, ...]:
        """Return the sides of a part of a volume of this shape (X, Y, Z), channels apart."""
        return tuple(volume[:2]) if self.kind == "slices" else (self.size,) * 3

    def boxes(self, volume: Sequence[int]) -> list[tuple[slice, slice, slice]]:
        """Return all parts of a volume of shape (X, Y, Z) at the stride of training.

        Raises
        ------
        InputError
            If a part does not fit.
        """
        cut = volume[2:] if self.kind == "slices" else volume
        axes = [patch_starts(length, self.size, self.stride) for length in cut]
        whole = [slice(0, length) for length in volume[: 3 - len(cut)]]
        return [
            (*whole, *(slice(start, start + self.size) for start in place))
            for place in itertools.product(*axes)
        ]
