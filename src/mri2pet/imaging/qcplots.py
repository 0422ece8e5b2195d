"""One small picture a stage: three planes of a volume, with contours over them.

Drawn with Pillow alone: importing matplotlib would take longer than most stages' pictures.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mri2pet.files import atomic
from mri2pet.imaging.volume import Array, Volume, array

if TYPE_CHECKING:
    from PIL import Image

COLOURS = ((255, 90, 60), (65, 211, 255), (255, 210, 60))
BACKGROUND = (16, 16, 20)
CUTS = (0.4, 0.62)  # where the planes cut, as parts of the extent of what is not zero
WIDTH = 900
TITLE = 26  # height of the line above the planes
GAP = 4
FONT = 14
SMALL = 11
# Of a plane across each axis of a RAS volume: what it is called, what lies on its left and right.
VIEWS = (("sagittal", "P", "A"), ("coronal", "L", "R"), ("axial", "L", "R"))
# Points of a colour map from dark to bright; what lies between is interpolated.
MAPS = {
    "gray": ((0, 0, 0), (255, 255, 255)),
    "heat": ((0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191)),
}


def draw(
    path: str | Path,
    image: Volume,
    title: str,
    contours: Sequence[Array] = (),
    at: Array | None = None,
    ceiling: float | None = None,
    cmap: str = "gray",
) -> None:
    """Draw sagittal, coronal and axial planes as a PNG, 900 pixels wide and 200 to 420 high.

    Each plane is named, with letters for the patient's left and right, or back and front.

    Parameters
    ----------
    path
        PNG to write.
    image
        Volume in RAS order.
    title
        Stands above the planes.
    contours
        Boolean volumes of the image's shape whose outline is drawn.
    at
        World point (mm) through which one plane of each kind is laid, marked by a cross; without
        it, two planes of each kind at `CUTS` of the object's extent.
    ceiling
        Intensity shown white; by default the 99.5th percentile.
    cmap
        One of `MAPS`.
    """
    from PIL import Image, ImageDraw, ImageFont

    data = array(image)
    # every third voxel along each axis tells the percentile well enough
    top = float(np.percentile(data[::3, ::3, ::3], 99.5)) if ceiling is None else ceiling
    planes = _planes(data, image.affine, at)
    side = (WIDTH - GAP * (len(planes) + 1)) // len(planes)
    tiles = [_tile(image, plane, contours, at, top or 1.0, cmap, side) for plane in planes]
    height = max(tile.height for tile in tiles)
    sheet = Image.new("RGB", (WIDTH, TITLE + height + TITLE), BACKGROUND)
    pen, small = ImageDraw.Draw(sheet), ImageFont.load_default(SMALL)
    for number, (tile, (axis, _)) in enumerate(zip(tiles, planes, strict=True)):
        corner = GAP + number * (side + GAP), TITLE + (height - tile.height) // 2
        sheet.paste(tile, corner)
        name, left, right = VIEWS[axis]
        for share, word, anchor in ((0.02, left, "lm"), (0.5, name, "mm"), (0.98, right, "rm")):
            at_line = (corner[0] + share * side, TITLE + height + TITLE / 2)
            pen.text(at_line, word, fill="white", font=small, anchor=anchor)
    font = ImageFont.load_default(FONT)
    centre = (WIDTH / 2, TITLE / 2)
    pen.text(centre, title, fill="white", font=font, anchor="mm")
    with atomic(path) as partial:
        sheet.save(partial, format="PNG")


def _tile(
    image: Volume,
    plane: tuple[int, int],
    contours: Sequence[Array],
    at: Array | None,
    top: float,
    cmap: str,
    side: int,
) -> "Image.Image":
    """Draw one plane, `side` pixels wide, in its true proportions."""
    from PIL import Image

    axis, _ = plane
    voxel = np.linalg.norm(image.affine[:3, :3], axis=0)
    across, up = (a for a in range(3) if a != axis)
    size = (side, round(side * image.shape[up] * voxel[up] / (image.shape[across] * voxel[across])))

    def scaled(cut: Array, how: int) -> Array:
        """Turn a plane (floats 0..1) upright and bring it to the tile's size."""
        picture = Image.fromarray((255 * cut.T[::-1]).astype(np.uint8))
        return np.asarray(picture.resize(size, how))

    grey = scaled(np.clip(_cut(array(image), plane) / top, 0, 1), Image.Resampling.BICUBIC)
    points = np.array(MAPS[cmap], float)
    steps = np.linspace(0, 255, len(points))
    table = np.stack([np.interp(np.arange(256), steps, channel) for channel in points.T], axis=1)
    pixels = table.round().astype(np.uint8)[grey]
    for colour, contour in zip(COLOURS, contours, strict=False):
        cut = _cut(contour, plane).astype(float)
        pixels[_outline(scaled(cut, Image.Resampling.BILINEAR) > 127)] = colour
    if at is not None:
        where = (np.linalg.inv(image.affine) @ [*at, 1])[[across, up]] + 0.5
        column, row = (where / np.array(image.shape)[[across, up]] * size).astype(int)
        pixels[:, np.clip(column, 0, size[0] - 1)] = COLOURS[1]
        pixels[size[1] - 1 - np.clip(row, 0, size[1] - 1)] = COLOURS[1]
    return Image.fromarray(pixels)


def _cut(data: Array, plane: tuple[int, int]) -> Array:
    """Return one plane of a volume without a copy, which `np.take` would make of it all."""
    axis, index = plane
    return np.moveaxis(data, axis, 0)[index]


def _outline(inside: Array) -> Array:
    """Pixels of a mask that touch its outside."""
    outside = np.pad(~inside, 1, mode="edge")
    near = outside[2:, 1:-1] | outside[:-2, 1:-1] | outside[1:-1, 2:] | outside[1:-1, :-2]
    return inside & near


def _planes(data: Array, affine: Array, at: Array | None) -> list[tuple[int, int]]:
    """Axis and index of each plane to draw."""
    if at is not None:
        voxel = np.round((np.linalg.inv(affine) @ [*at, 1])[:3]).astype(int)
        voxel = np.clip(voxel, 0, np.array(data.shape) - 1)
        return [(axis, int(voxel[axis])) for axis in range(3)]
    planes = []
    for axis in range(3):
        thinned = tuple(slice(None, None, 1 if a == axis else 3) for a in range(3))
        profile = data[thinned].max(axis=tuple(a for a in range(3) if a != axis))
        held = np.flatnonzero(profile > 0.1 * profile.max())
        first, last = int(held[0]), int(held[-1])
        planes += [(axis, first + round(cut * (last - first))) for cut in CUTS]
    return planes
