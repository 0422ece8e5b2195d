"""What a simulated person's PET would show at another age or diagnosis, the anatomy held as it is.

The simulation knows what nobody can measure. A model that is told another age can be asked for it:
the change of the expected uptake, region by region, on the scale of the PET that networks see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, gaussian_filter

from mri2pet.imaging.intensity import reference_region
from mri2pet.simulation.anatomy import expected_uptake
from mri2pet.simulation.people import SEVERITY
from mri2pet.simulation.pet import FWHM, activity
from mri2pet.simulation.template import Template
from mri2pet.simulation.uptake import Regions, regions

MOST_VULNERABLE = 8.0  # times the average: no person's region is more (`anatomy`: sd .3 of the log)
HALVINGS = 60  # of the interval in which a region's vulnerability is sought
FWHM_TO_SIGMA = 2.3548
REACH = 4.0  # sd of the scanner's blur that are followed around a region


@dataclass(frozen=True)
class Anatomy:
    """What of one visit is held as it is.

    Attributes
    ----------
    table
        What age and disease do to each region.
    vulnerability
        (116,) how strongly disease acts on each region of this person, 1 on average.
    age, severity
        The person's own, in years and in units of average AD.
    """

    table: Regions
    vulnerability: NDArray[np.float64]
    age: float
    severity: float

    def uptake(self, age: float | None = None, diagnosis: str | None = None) -> NDArray[np.float64]:
        """Return the expected uptake of each region, (116,), at another age or diagnosis.

        Parameters
        ----------
        age
            Years; None for the person's own.
        diagnosis
            A group of the simulation, of which the average severity is taken; None for the
            person's own severity.
        """
        return expected_uptake(
            self.table,
            self.age if age is None else age,
            self.severity if diagnosis is None else SEVERITY[diagnosis],
            self.vulnerability,
        )


def anatomy_of(values: Mapping[str, Any]) -> Anatomy:
    """Find what of a visit's anatomy counts for its uptake.

    Parameters
    ----------
    values
        A visit's truth.json (`truth.Truth.values`).

    Notes
    -----
    The vulnerability stands in no file, but the expected uptake falls with it and with nothing else
    once age and severity are known. Where disease takes nothing, any value would do; it is 0.
    """
    of = values["regions"]
    table = regions(list(of["name"]))
    age, severity = values["age"], values["severity"]
    expected = np.array(of["expected_uptake"])
    low, high = np.zeros(len(expected)), np.full(len(expected), MOST_VULNERABLE)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        more = expected_uptake(table, age, severity, middle) > expected
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return Anatomy(table, np.where(table.uptake_ad > 0, low, 0.0), age, severity)


@dataclass(frozen=True)
class Mixing:
    """How the scanner and an atlas mix the uptake of regions: `shares @ uptake + rest`.

    Attributes
    ----------
    shares, rest
        (R, 116) and (R,) of the atlas's regions; NaN for one without a voxel.
    reference_shares, reference_rest
        (116,) and a number: the same of the region whose mean is one.
    ceiling
        Uptake, in units of that mean, that becomes 1.
    """

    shares: NDArray[np.float64]
    rest: NDArray[np.float64]
    reference_shares: NDArray[np.float64]
    reference_rest: float
    ceiling: float

    def values(self, uptake: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of every region (R,) in 0..1, as networks see it, without noise."""
        reference = float(self.reference_shares @ uptake + self.reference_rest)
        return (self.shares @ uptake + self.rest) / (reference * self.ceiling)


def mixing(
    template: Template,
    atlas: NDArray[np.integer],
    mask: NDArray[np.bool_],
    affine: NDArray[np.float64],
    n_regions: int,
    reference: str,
    ceiling: float,
) -> Mixing:
    """Measure how the scanner's blur mixes the template's regions in those of a dataset's atlas.

    Everybody's PET lies in the template's space, so one measurement serves all people: what their
    registration misses is not in it, nor is what a ceiling clips.

    Parameters
    ----------
    template
        The anatomy that everyone is made from.
    atlas, mask
        (X, Y, Z) labels and brain of the dataset, RAS; only voxels of both count.
    affine
        4x4 of that grid, to world mm; its axes are those of the world.
    n_regions
        R; labels are 1..R.
    reference
        `preproc.pet_reference`.
    ceiling
        `preproc.pet_ceiling`.
    """
    labels = _on_template(template, np.where(mask, atlas, 0), affine)
    of_reference = reference_region(reference, labels, _on_template(template, mask, affine))
    nothing = activity(template, np.zeros(len(template.names)))
    a_unit = activity(template, np.ones(len(template.names))) - nothing  # of each voxel's region

    def means(image: NDArray[np.float32], box: tuple[slice, ...]) -> NDArray[np.float64]:
        """Blur a part of the image; return its share of each region's mean, the reference last."""
        sigma = FWHM / FWHM_TO_SIGMA / np.abs(np.diag(template.affine)[:3])
        blurred = gaussian_filter(image, sigma, mode="constant")
        sums = np.bincount(labels[box].ravel(), blurred.ravel(), minlength=n_regions + 1)
        of_all = float(blurred[of_reference[box]].sum(dtype=np.float64))
        return np.append(sums[1:], of_all) / sizes

    sizes = np.bincount(labels.ravel(), minlength=n_regions + 1)[1:].astype(float)
    sizes = np.append(np.where(sizes > 0, sizes, np.nan), of_reference.sum())
    shares = np.zeros((n_regions + 1, len(template.names)))
    for number, box in enumerate(find_objects(template.region, len(template.names))):
        if box is not None:
            wide = _widened(box, template)
            own = template.region[wide] == number + 1
            shares[:, number] = means(np.where(own, a_unit[wide], np.float32(0)), wide)
    rest = means(nothing, (slice(None),) * 3)
    return Mixing(shares[:-1], rest[:-1], shares[-1], float(rest[-1]), ceiling)


def _on_template(template: Template, values: NDArray, affine: NDArray[np.float64]) -> NDArray:
    """Return the nearest voxel's value of a grid along the world's axes, zero outside of it."""
    places, inside = [], []
    for axis, size in enumerate(template.region.shape):
        world = template.affine[axis, axis] * np.arange(size) + template.affine[axis, 3]
        place = np.rint((world - affine[axis, 3]) / affine[axis, axis]).astype(int)
        inside.append((place >= 0) & (place < values.shape[axis]))
        places.append(np.clip(place, 0, values.shape[axis] - 1))
    return np.where(
        np.logical_and.outer(np.logical_and.outer(*inside[:2]), inside[2]),
        values[np.ix_(*places)],
        0,
    ).astype(values.dtype)


def _widened(box: Sequence[slice], template: Template) -> tuple[slice, ...]:
    """Widen a region's box by as far as the scanner's blur reaches."""
    far = [ceil(REACH * FWHM / FWHM_TO_SIGMA / abs(side)) for side in np.diag(template.affine)[:3]]
    return tuple(
        slice(max(0, part.start - more), part.stop + more)
        for part, more in zip(box, far, strict=True)
    )
