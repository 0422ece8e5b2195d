"""One focal lesion of an epilepsy patient: where the cortex takes up less FDG, and how much."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mri2pet.errors import InputError

if TYPE_CHECKING:
    from mri2pet.simulation.template import Template

EDGE_MM = 1.5  # of the logistic fall from the lesion to healthy cortex
REACH_MM = 40.0  # nothing of a lesion lies farther from its centre
CORTEX = ("Frontal", "Temporal", "Parietal", "Occipital", "Insula", "Fusiform", "ParaHippocampal")
GOLDEN = (0.7548776662, 0.5698402910)  # of the plane: Roberts' R2 sequence
LOWEST_MM = -36.0  # of a centre, template world: the detector's field of view ends at -50


@dataclass(frozen=True)
class Lesion:
    """What is asked for: `depth`, share of the uptake that is lost, and `ml` of grey matter.

    `stratum` is the place, from 1, of the ranges in the configuration that both are drawn from.
    """

    depth: float
    ml: float
    stratum: int = 1

    def as_dict(self) -> dict[str, Any]:
        """Return plain values only, as a rule's parameter needs them."""
        return asdict(self)


@dataclass(frozen=True)
class Place:
    """Where a lesion came to lie.

    Attributes
    ----------
    centre
        Template world, mm.
    region
        AAL name at the centre.
    radius
        mm, where half the depth is reached.
    weight
        Of the template's shape, 0..1: how much of the depth each voxel has.
    mask
        The same shape, bool: brain tissue within the radius.
    """

    centre: tuple[float, float, float]
    region: str
    radius: float
    weight: NDArray[np.float32]
    mask: NDArray[np.bool_]

    def cortex(self, depth: float) -> NDArray[np.float32]:
        """Return what the uptake of grey matter is multiplied by."""
        return 1 - np.float32(depth) * self.weight


def plan_lesion(
    block: Mapping[str, Any] | Sequence[Mapping[str, Any]], number: int, where: str
) -> Lesion:
    """Choose depth and size of the lesion of the `number`th patient (from 0).

    Both run over the ranges `depth` and `ml` of the configuration in steps of the golden ratio:
    however few the patients, they are spread evenly, and more of them change none. Strata, each
    with ranges of its own, are taken in turn.

    Parameters
    ----------
    block
        The ranges, or a list of strata of such.
    number
        Of the patient.
    where
        The block's key in the configuration.

    Raises
    ------
    InputError
        If a range is turned round or leaves what a lesion can be.
    """
    strata = [block] if isinstance(block, Mapping) else list(block)
    turn, place = divmod(number, len(strata))
    values = []
    for (key, top), step in zip((("depth", 1.0), ("ml", 60.0)), GOLDEN, strict=True):
        low, high = strata[place][key]
        if not 0 < low <= high <= top:
            own = where if len(strata) == 1 else f"{where}[{place}]"
            raise InputError(
                f"{own}.{key}: [{low}, {high}] is not a range within 0 and {top:g}, low to high"
            )
        values.append(low + (high - low) * ((0.5 + turn * step) % 1))
    return Lesion(*(round(float(value), 4) for value in values), stratum=place + 1)


def place_lesion(template: "Template", lesion: Lesion, rng: np.random.Generator) -> Place:
    """Put a lesion at a random place of the cortex of one hemisphere.

    Its centre is drawn from the grey matter of the regions `CORTEX`; the radius is what holds the
    asked amount of that hemisphere's grey matter around it.

    Raises
    ------
    InputError
        If there is not so much grey matter near the centre.
    """
    from mri2pet.simulation.warps import apply  # with SciPy, which planning needs not

    gm, wm, _ = template.tissue
    names = np.array(("", *template.names))
    cortical = np.array([name.startswith(CORTEX) for name in names])
    rows = np.argwhere((gm > 0.6) & cortical[template.region])
    world = apply(template.affine, rows)
    rows = rows[(world[:, 2] > LOWEST_MM) & (np.abs(world[:, 0]) > 8)]
    at = rows[rng.integers(len(rows))]
    centre = apply(template.affine, at[None])[0]
    reach = int(REACH_MM)  # voxels of 1 mm
    box = tuple(slice(max(i - reach, 0), i + reach + 1) for i in at)
    index = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij"), -1)
    shape = gm[box].shape
    index = index[tuple(slice(0, n) for n in shape)]
    points = apply(template.affine, index.reshape(-1, 3))
    distance = np.linalg.norm(points - centre, axis=1).reshape(shape)
    side = (np.sign(points[:, 0]) == np.sign(centre[0])).reshape(shape)
    ml = abs(np.linalg.det(template.affine[:3, :3])) / 1000
    own = side & (distance < REACH_MM)
    order = np.argsort(distance[own])
    held = np.cumsum(gm[box][own][order]) * ml
    if held[-1] < lesion.ml:
        raise InputError(
            f"simulation.lesion.ml: there are only {held[-1]:.1f} ml of grey matter within "
            f"{REACH_MM:g} mm, {lesion.ml} are asked for"
        )
    radius = float(distance[own][order][np.searchsorted(held, lesion.ml)])
    weight = np.zeros(gm.shape, np.float32)
    fall = (distance - radius) / EDGE_MM
    weight[box] = np.where(side, 1 / (1 + np.exp(np.clip(fall, -30, 30))), 0)
    mask = np.zeros(gm.shape, bool)
    mask[box] = side & (distance <= radius) & (gm[box] + wm[box] > 0.5)
    region = str(names[template.region[tuple(at)]])
    return Place(tuple(np.round(centre, 2).tolist()), region, radius, weight, mask)
