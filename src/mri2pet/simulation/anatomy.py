"""One person's head: size, individual shape, atrophy by age and disease, regional uptake."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.special import ndtr

from mri2pet.simulation.people import Person, Visit
from mri2pet.simulation.template import Template
from mri2pet.simulation.uptake import Healthy, Regions, deviations, regions, variation
from mri2pet.simulation.warps import (
    SHAPE,
    SPACING,
    Deformation,
    exponentiate,
    near_centre,
    random_affine,
    random_velocity,
    velocity_of_divergence,
)

SCALES = {34.0: 1.8, 18.0: 1.35, 9.0: 0.75}  # mm of smoothing -> mm of rms displacement
CALM = (8.0, 18.0, 13.0)  # mm about AC and PC, whose places atrophy hardly changes
GAIN = 1.6  # makes up for tissue that flows through its neighbours' divergence
FLOW_LIMIT = 1.2  # of |log-Jacobian| by atrophy
COUPLING = 0.6  # share of the loss of uptake that the atrophy of the region foretells
NORMAL_SD, UNSEEN_SD = 0.035, 0.5  # of the logarithms of what no MRI can tell of a region's uptake
MOST_LOST = 0.6  # share of a region's uptake that disease can take
# Of a region's grey matter, as healthy adults of one age differ: sd, and the most above average.
HEALTHY_SD, MOST_MORE = 0.06, 0.2


@dataclass(frozen=True)
class Head:
    """One person's head at one visit.

    Attributes
    ----------
    deformation
        Between template and head.
    atrophy
        (116,) fraction of each region's grey matter that is lost; negative where there is more.
    uptake
        (116,) FDG uptake of each region's grey matter; 1 is that of a healthy average region.
    expected
        (116,) what `uptake` is on average in people of this anatomy (`expected_uptake`).
    trait
        (116,) of `uptake.Healthy`, which the T1 shows too; None where people have none.
    """

    deformation: Deformation
    atrophy: NDArray[np.float64]
    uptake: NDArray[np.float64]
    expected: NDArray[np.float64]
    trait: NDArray[np.float64] | None = None


def make_head(
    template: Template, person: Person, visit: Visit, coupling: float | None = None
) -> Head:
    """Make a person's head at a visit; two visits differ by the years between them alone.

    Parameters
    ----------
    template
        The anatomy that everyone is made from.
    person, visit
        Whose head, and when.
    coupling
        Of a study in which healthy people differ in their regions' grey matter: the share of the
        variance of healthy uptake that this explains (`uptake.Healthy`), which changes no anatomy.
        None: they do not, and nothing but age and disease is seen in the MRI.
    """
    rng = person.rng("anatomy")
    affine = random_affine(rng, person.sex)
    velocity = random_velocity(rng, SCALES)
    table = regions(list(template.names))
    age, severity = person.age_at(visit), person.severity_at(visit)
    pace, disease = variation(rng, table.names, 0.3), variation(rng, table.names, 0.3)
    by_age = table.atrophy_age * (age - 40) / 10 * pace
    by_disease = table.atrophy_ad * severity * disease
    healthy = None
    if coupling is not None:
        healthy = Healthy(deviations(person.rng("healthy"), table.names), coupling)
    more = np.zeros(len(table.names)) if healthy is None else HEALTHY_SD * healthy.trait
    atrophy = np.clip(by_age + by_disease - more, 0 if healthy is None else -MOST_MORE, 0.45)
    divergence = atrophy_divergence(template, np.maximum(atrophy, 0))
    if (atrophy < 0).any():  # growth is shrinking turned round
        divergence = divergence - atrophy_divergence(template, np.maximum(-atrophy, 0))
    shrinking = velocity_of_divergence(divergence)
    velocity = velocity + shrinking * (1 - 0.85 * near_centre(CALM))
    uptake = regional_uptake(person, table, age, severity, disease, healthy)
    expected = expected_uptake(table, age, severity, disease, healthy)
    deformation, trait = Deformation(affine, exponentiate(velocity)), healthy and healthy.trait
    return Head(deformation, atrophy, uptake, expected, trait)


def regional_uptake(
    person: Person,
    table: Regions,
    age: float,
    severity: float,
    disease: NDArray[np.float64],
    healthy: Healthy | None = None,
) -> NDArray[np.float64]:
    """FDG uptake of each region, shape (116,).

    Ageing and disease lower it. The disease's share follows the region's atrophy (`disease`, the
    person's regional vulnerability that the MRI shows) by `COUPLING`, and a draw of its own, which
    no MRI can tell, for the rest. Of what healthy people differ by, `healthy` is what the MRI
    shows; the variance as a whole does not depend on it.
    """
    rng = person.rng("uptake")
    own = deviations(rng, table.names)
    if healthy is not None:
        own = np.sqrt(healthy.coupling) * healthy.trait + np.sqrt(1 - healthy.coupling) * own
    normal = np.exp(NORMAL_SD * own)
    unseen = variation(rng, table.names, UNSEEN_SD)
    ageing = 1 - table.uptake_age * max(age - 60, 0) / 10
    loss = table.uptake_ad * severity * (COUPLING * disease**2 + (1 - COUPLING) * unseen)
    return table.uptake * normal * ageing * (1 - np.clip(loss, 0, MOST_LOST))


def expected_uptake(
    table: Regions,
    age: float,
    severity: float,
    disease: NDArray[np.float64],
    healthy: Healthy | None = None,
) -> NDArray[np.float64]:
    """Average `regional_uptake` over all that the anatomy does not tell, shape (116,).

    Given are age, severity, the regional vulnerability `disease` and the grey matter of `healthy`
    people, which shape the head; averaged over are the rest of the scatter between people and the
    unseen share of disease, both lognormal. The mean of a loss that is cut at `MOST_LOST` is that
    of a lognormal cut from above, which has a closed form (as the price of an option has: Black and
    Scholes 1973).
    """
    ageing = 1 - table.uptake_age * max(age - 60, 0) / 10
    seen = table.uptake_ad * severity * COUPLING * disease**2
    scale = table.uptake_ad * severity * (1 - COUPLING)  # of the unseen part, its median
    room = np.maximum(MOST_LOST - seen, 0)  # that the unseen part has below the cut
    with np.errstate(divide="ignore", invalid="ignore"):
        cut = np.where(scale > 0, np.log(room / scale) / UNSEEN_SD, np.inf)
    unseen = scale * np.exp(UNSEEN_SD**2 / 2) * ndtr(cut - UNSEEN_SD) + room * ndtr(-cut)
    lost = np.minimum(seen, MOST_LOST) + unseen
    told = 0.0 if healthy is None else NORMAL_SD * np.sqrt(healthy.coupling) * healthy.trait
    untold = NORMAL_SD**2 * (1 if healthy is None else 1 - healthy.coupling)
    return table.uptake * np.exp(told + untold / 2) * ageing * (1 - lost)


def atrophy_divergence(template: Template, atrophy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divergence of the pull-back velocity that atrophy asks for, shape SHAPE.

    Grey matter shrinks by its region's fraction and white matter by half of it. Fluid nearby, in
    voxels that hold little else, takes the room; that deep in the brain (ventricles, Sylvian
    fissure) more readily. The volume within the skull is kept.
    """
    gm, wm, _, brain, lost = _on_grid(template, atrophy)
    demand = -GAIN * np.log1p(-lost) * (gm + 0.5 * wm)
    depth = distance_transform_edt(brain > 0.5) * SPACING
    width = 15.0 / SPACING
    fluid = np.maximum(brain - 1.5 * (gm + wm), 0)
    near = gaussian_filter(demand, width) / (gaussian_filter(fluid, width) + 0.03)
    supply = gaussian_filter(fluid * near * np.where(depth > 18, 2.0, 1.0), 0.6)
    low, high = 0.0, 20.0  # of the factor at which the volume within the skull is kept
    for _ in range(40):
        factor = (low + high) / 2
        divergence = np.clip(demand - factor * supply, -FLOW_LIMIT, FLOW_LIMIT)
        low, high = (factor, high) if (np.exp(-divergence) - 1).sum() < 0 else (low, factor)
    return divergence


def _on_grid(template: Template, values: NDArray[np.float64]) -> list[NDArray[np.float32]]:
    """Tissues, brain mask and a regional value at the deformation's nodes: means over 4 mm."""
    by_region = np.concatenate([[0.0], values]).astype(np.float32)[template.region]
    return [_node_means(v) for v in (*template.tissue, template.brain, by_region)]


def _node_means(volume: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of the 4 x 4 x 4 voxels around each node, which lies at voxel 3 i - 1.5."""
    for axis, n in enumerate(SHAPE):
        edges = [(0, 0)] * 3
        edges[axis] = (4, 3 * n + 4 - volume.shape[axis])
        padded = np.pad(volume, edges)
        near = [padded.take(3 * np.arange(n) + k, axis) for k in (1, 2, 3, 4)]
        volume = sum(near) / np.float32(4)
    return volume
