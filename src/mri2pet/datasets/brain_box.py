"""The part of the grid that holds the brain: a network need not see the empty rest."""

import numpy as np

from mri2pet.errors import InputError

Box = tuple[slice, ...]


def brain_box(mask: np.ndarray, multiple: int) -> Box:
    """Return the smallest box around a mask whose sides are multiples of a number of voxels.

    Of the template's brain at 64^3, with multiples of 8, it is 56^3: two thirds of the voxels.

    Parameters
    ----------
    mask
        (X, Y, Z) bool.
    multiple
        Of which each side must be, so that pooling and patches divide it; 0 for the whole grid.

    Returns
    -------
    tuple of slice
        One an axis, with the mask in the middle as far as the grid allows.

    Raises
    ------
    InputError
        If the mask is empty, or the grid has no room for such a box.
    """
    if not multiple:
        return tuple(slice(0, size) for size in mask.shape)
    if not mask.any():
        raise InputError("crop: the brain mask is empty; look at the dataset's mask.npy")
    box = []
    for axis, size in enumerate(mask.shape):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        held = np.flatnonzero(mask.any(axis=others))
        first, last = int(held[0]), int(held[-1])
        side = -(-(last - first + 1) // multiple) * multiple
        if side > size:
            raise InputError(
                f"crop: {multiple} does not fit: the brain needs {last - first + 1} of the {size} "
                f"voxels along axis {axis}, rounded up {side}; choose a smaller number or 0"
            )
        start = min(max((first + last + 1 - side) // 2, 0), size - side)
        box.append(slice(start, start + side))
    return tuple(box)


def moved(affine: np.ndarray, box: Box) -> np.ndarray:
    """Return the affine (4, 4) of the part of a grid that a box keeps."""
    shift = np.eye(4)
    shift[:3, 3] = [side.start for side in box]
    return affine @ shift
