"""Healthy uptake that goes with the anatomy: by how much, and where it shows."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from mri2pet.errors import InputError
from mri2pet.simulation import people
from mri2pet.simulation.anatomy import (
    HEALTHY_SD,
    NORMAL_SD,
    expected_uptake,
    make_head,
    regional_uptake,
)
from mri2pet.simulation.epilepsy_people import FIRST_OF, MOST, lesions, plan_members
from mri2pet.simulation.ixi_people import MOST as MOST_IXI
from mri2pet.simulation.ixi_people import plan_ixi
from mri2pet.simulation.lesion import plan_lesion
from mri2pet.simulation.mri import GREY_SD, t1_contrast
from mri2pet.simulation.people import plan_people
from mri2pet.simulation.template import make_template
from mri2pet.simulation.uptake import PATTERN, Healthy, deviations, regions
from mri2pet.simulation.warps import apply, grid_points

TABLE = regions([f"{row[0]}_{side}" for row in PATTERN for side in "LR"])
STRATUM = {"depth": [0.1, 0.3], "ml": [4, 8]}
PLAN = {"paired": 3, "mri_only": 0, "patients": 1, "lesion": STRATUM}
MEMBERS = plan_members(PLAN, 1)
STILL = np.ones(len(TABLE.names))
DRAWS = 600


def adults(coupling):
    """Logarithms of the uptake of many people, and of what their anatomy tells of it."""
    drawn, told = [], []
    for number in range(DRAWS):
        person = replace(MEMBERS[0].person, number=number)
        healthy = Healthy(deviations(person.rng("healthy"), TABLE.names), coupling)
        args = TABLE, 35.0, 0.0, STILL, healthy
        drawn.append(np.log(regional_uptake(person, *args)))
        told.append(np.log(expected_uptake(*args)))
    return np.array(drawn), np.array(told)


@pytest.mark.parametrize("coupling", [0.0, 0.1, 0.3, 0.5, 1.0])
def test_the_anatomy_explains_the_share_that_is_asked_for(coupling):
    drawn, told = adults(coupling)
    assert drawn.std(axis=0).mean() == pytest.approx(NORMAL_SD, rel=0.03)
    left = (drawn - told).var(axis=0).mean()
    assert 1 - left / drawn.var(axis=0).mean() == pytest.approx(coupling, abs=0.03)
    if coupling == 1:
        np.testing.assert_allclose(drawn, told, atol=1e-12)
    if coupling == 0:
        assert np.ptp(told, axis=0).max() == 0


def test_what_is_expected_is_the_mean_of_people_of_one_anatomy():
    healthy = Healthy(np.linspace(-2.5, 2.5, len(TABLE.names)), 0.4)
    args = TABLE, 75.0, 0.6, STILL, healthy
    person = MEMBERS[0].person
    drawn = np.array(
        [regional_uptake(replace(person, number=number), *args) for number in range(2000)]
    )
    error = drawn.std(axis=0, ddof=1) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(axis=0) - expected_uptake(*args)) < 4.5 * error).all()


@pytest.fixture(scope="module")
def template(atlases):
    return make_template(atlases)


def head(template, member, coupling):
    return make_head(template, member.person, member.person.visits[0], coupling)


def test_the_coupling_changes_the_pet_alone(template, monkeypatch):
    heads = [head(template, MEMBERS[0], coupling) for coupling in (0.1, 0.5)]
    first, second = (one.deformation.displacement for one in heads)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(heads[0].atrophy, heads[1].atrophy)
    assert not np.allclose(heads[0].uptake, heads[1].uptake, atol=1e-4)
    monkeypatch.setitem(people.STREAMS, "uptake", 77)
    other = head(template, MEMBERS[0], 0.5)
    assert not np.array_equal(other.uptake, heads[1].uptake)
    np.testing.assert_array_equal(other.expected, heads[1].expected)


def grey_volumes(template, deformation):
    """Volume of each region's grey matter in a head, ml, from points 1.5 mm apart in it."""
    total, back = np.zeros(117), np.linalg.inv(template.affine)
    for corner in product((-0.75, 0.75), repeat=3):
        points = apply(deformation.affine, grid_points().reshape(3, -1).T + corner)
        index = np.rint(apply(back, deformation.to_template(points))).astype(int)
        at = tuple(index[((index >= 0) & (index < template.region.shape)).all(axis=1)].T)
        total += np.bincount(template.region[at], template.tissue[0][at], 117)
    return total[1:] * 1.5**3 / 1000


def test_more_grey_matter_is_there_where_more_uptake_is_expected(template):
    asked, grown = [], []
    for member in MEMBERS[:2]:
        own = head(template, member, 0.3)
        plain = make_head(template, member.person, member.person.visits[0])
        volumes = [grey_volumes(template, one.deformation) for one in (own, plain)]
        large = volumes[1] > 5  # of fewer points the volume is not known to some percent
        asked.append(deviations(member.person.rng("healthy"), template.names)[large])
        grown.append(np.log(volumes[0] / volumes[1])[large])
    asked, grown = np.concatenate(asked), np.concatenate(grown)
    assert np.corrcoef(asked, grown)[0, 1] > 0.5
    slope = np.polyfit(asked, grown, 1)[0]  # what comes about is less where fluid is thin
    assert 0.5 * HEALTHY_SD < slope < 1.5 * HEALTHY_SD, slope


def test_the_t1_shows_the_trait_by_its_signal_too(template):
    """Of two scans of one person, with and without: by region, in grey matter alone."""
    trait = deviations(np.random.default_rng(0), template.names)
    own, plain = (
        t1_contrast(template, 35.0, np.random.default_rng(1), each) for each in (trait, None)
    )
    grey = template.tissue[0] > 0.9
    within = [grey & (template.region == label) for label in range(1, 117)]
    by_region = [own[where].mean() / plain[where].mean() - 1 for where in within]
    np.testing.assert_allclose(by_region, -GREY_SD / 0.62 * trait, rtol=0.15, atol=1e-4)
    others = template.tissue[0] == 0
    np.testing.assert_array_equal(own[others], plain[others])
    assert head(template, MEMBERS[0], 0.3).trait is not None
    assert make_head(template, MEMBERS[0].person, MEMBERS[0].person.visits[0]).trait is None


def everybody():
    """Numbers that people's randomness hangs on, of each population at its largest."""
    most = dict.fromkeys(("paired", "mri_only", "patients"), MOST)
    everyone = plan_members({**most, "lesion": STRATUM}, 1)
    groups = {"groups": ["CN"], "second_visits": 0}
    dementia = plan_people({**people.MOST, **groups}, 1)
    return {
        "controls with a PET": [m.person for m in everyone if m.subject < "EPI4"],
        "controls without": [m.person for m in everyone if "EPI4" < m.subject < "EPI7"],
        "patients": [m.person for m in everyone if m.subject > "EPI7"],
        "dementia": dementia,
        "ixi": [person for person, _ in plan_ixi(MOST_IXI - 1, 1)],
    }


def test_nobody_shares_randomness_with_a_person_of_another_kind():
    found = {name: {p.number for p in own} for name, own in everybody().items()}
    assert len(found) == len(FIRST_OF) + 2
    assert min(map(len, found.values())) >= MOST
    for first, second in combinations(found, 2):
        assert not found[first] & found[second], (first, second)


def test_an_epilepsy_and_an_ixi_person_of_one_number_have_heads_of_their_own():
    for number in (1, 2, 5):
        member = plan_members({**PLAN, "paired": 8}, 1)[number - 1]
        others = [person for person, _ in plan_ixi(10, 1)]
        draws = [p.rng("anatomy").normal(size=4).tolist() for p in [member.person, *others]]
        assert draws[0] not in draws[1:]


STRATA = [
    {"depth": [0.1, 0.1], "ml": [2, 4]},
    {"depth": [0.2, 0.3], "ml": [4, 8]},
    {"depth": [0.5, 0.5], "ml": [8, 12]},
]


def test_strata_are_taken_in_turn_and_more_patients_change_none():
    few, many = (plan_members({**PLAN, "patients": n, "lesion": STRATA}, 1) for n in (4, 9))
    assert [m.lesion.stratum for m in many if m.lesion] == [1, 2, 3] * 3
    for number, member in enumerate(m for m in many if m.lesion):
        stratum = STRATA[number % 3]
        for key in ("depth", "ml"):
            low, high = stratum[key]
            assert low <= getattr(member.lesion, key) <= high
    known = {m.subject: m for m in many}
    assert all(known[m.subject] == m for m in few)
    told = lesions(many)
    assert [row["stratum"] for row in told] == [1, 2, 3] * 3
    assert {row["subject"] for row in told} == {m.subject for m in many if m.role == "patient"}


def test_one_stratum_is_what_a_block_alone_is():
    for number in range(4):
        assert plan_lesion([STRATUM], number, "x") == plan_lesion(STRATUM, number, "x")


def test_a_stratum_that_cannot_be_is_named():
    turned = [STRATUM, {"depth": [0.3, 0.1], "ml": [4, 8]}]
    with pytest.raises(InputError, match=r"simulation\.lesion\[1\]\.depth"):
        plan_members({**PLAN, "patients": 2, "lesion": turned}, 1)
