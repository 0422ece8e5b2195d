"""Lesions put into PET: where they lie, what they leave as it is, and how they are found."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from mri2pet.anomaly.clusters import ClusterSettings
from mri2pet.anomaly.detection_tables import FIRST, SENSITIVITY
from mri2pet.anomaly.injected_scores import Others, find_injected, injected_maps
from mri2pet.anomaly.injection import inject, make_site, make_sites
from mri2pet.anomaly.injection_tables import FLOOR, injection_table
from mri2pet.anomaly.scoring import decision_maps
from mri2pet.config.check import check_config
from mri2pet.errors import InputError
from mri2pet.models.siamese import PatchAutoencoder
from mri2pet.reporting.injection_figures import injection_figure

SHAPE, VOXEL, EDGE = (26, 28, 22), 3.0, 6.5
AFFINE = np.diag([VOXEL, VOXEL, VOXEL, 1.0])
AFFINE[:3, 3] = [-39, -42, -33]
RNG = np.random.default_rng(0)
BRAIN = np.zeros(SHAPE, bool)
BRAIN[2:-2, 2:-2, 2:-2] = True
REGIONS = {1: "Precuneus_L", 2: "Precuneus_R", 3: "Angular_L"}
ATLAS = np.zeros(SHAPE, np.uint8)
ATLAS[4:9, 6:12, 6:12], ATLAS[17:22, 6:12, 6:12], ATLAS[4:9, 16:22, 6:12] = 1, 2, 3
PET = np.where(BRAIN, RNG.uniform(0.3, 1, SHAPE), 0).astype(np.float32)
LESIONS = {
    "sphere": {"centre_mm": [-18, -9, -3], "radius_mm": 9},
    "both_sides": {"regions": {"Precuneus": 1}},
    "one_side": {"regions": {"Precuneus_L": 1}},
    "pattern": {"regions": {"Precuneus": 0.5, "Angular_L": 1}},
}


def site(name, **changes):
    place = BRAIN, ATLAS, REGIONS, AFFINE, EDGE
    return make_site(name, {**LESIONS[name], **changes}, *place)


def asked(name):
    """What a lesion is said to be: the share of the depth of each voxel."""
    settings = LESIONS[name]
    if "regions" in settings:
        shares = settings["regions"]
        share = np.zeros(SHAPE)
        for label, region in REGIONS.items():
            share[label == ATLAS] = max(
                (own for begin, own in shares.items() if region.startswith(begin)), default=0
            )
        return share
    index = np.indices(SHAPE).reshape(3, -1).T
    world = index * VOXEL + AFFINE[:3, 3]
    away = np.linalg.norm(world - settings["centre_mm"], axis=1)
    return (away.reshape(SHAPE) <= settings["radius_mm"]).astype(float)


@pytest.mark.parametrize("name", LESIONS)
@pytest.mark.parametrize("depth", [0.1, 0.9, 1.0])
def test_nothing_changes_beyond_the_edge(name, depth):
    away = distance_transform_edt(asked(name) == 0, sampling=VOXEL)
    (made,) = inject(PET, site(name), [depth])
    np.testing.assert_array_equal(made[away > EDGE], PET[away > EDGE])
    near = BRAIN & (away > 0) & (away < EDGE)
    assert (made[near] < PET[near]).all()  # a smooth edge
    assert not made[~BRAIN].any()


@pytest.mark.parametrize("name", LESIONS)
def test_the_depth_is_reached_in_the_middle_and_half_of_it_at_the_rim(name):
    place, share = site(name), asked(name)
    inner = distance_transform_edt(share > 0, sampling=VOXEL)
    middle = inner == inner.max()
    assert 0.6 < (place.weight[middle] / share[middle]).min() <= 1
    lost = 1 - inject(PET, place, [0.4])[0][BRAIN] / PET[BRAIN]
    np.testing.assert_allclose(lost, 0.4 * place.weight[BRAIN], atol=1e-5)
    assert place.weight.max() <= share.max() + 1e-6
    if share.max() == share[share > 0].min():
        rim = BRAIN & (np.abs(place.weight - 0.5) < 0.2)
        assert (distance_transform_edt(share == 0, sampling=VOXEL)[rim] <= 1.5 * VOXEL).all()
        overlap = (place.mask & (share > 0)).sum() / (place.mask | (share > 0)).sum()
        assert overlap > 0.7


def test_depth_zero_is_the_persons_own_pet():
    np.testing.assert_array_equal(inject(PET, site("sphere"), [0.0])[0], PET)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"centre_mm": [90, 90, 90]}, "sphere: nothing of it lies in the brain"),
        ({"regions": {"Precunius": 1}}, r"sphere\.regions\.Precunius: no region of AAL"),
    ],
)
def test_places_that_are_none(changes, message):
    with pytest.raises(InputError, match=message):
        site("sphere", **changes)


@pytest.fixture(scope="module")
def scored():
    """A detector of four controls, a fifth held out, and the decision values of all."""
    torch.manual_seed(0)
    network = PatchAutoencoder(5, 8, [6], [3], [1]).eval()
    people = np.clip(PET + RNG.normal(0, 0.03, (9, *SHAPE)) * BRAIN, 0, 1).astype(np.float32)
    own = decision_maps(network, people[:4], people[4:], BRAIN, nu=0.3)
    return network, people, own


@pytest.mark.parametrize("name", LESIONS)
def test_only_what_the_lesion_can_reach_is_scored_anew_and_that_is_right(scored, name):
    network, people, own = scored
    place = site(name)
    args = network, people[:4], people[4], own[0], place, [0.0, 0.5], BRAIN, {"nu": 0.3}
    maps = injected_maps(*args)
    whole = inject(people[4], place, [0.0, 0.5])
    expected = decision_maps(network, people[:4], whole, BRAIN, nu=0.3)
    np.testing.assert_allclose(maps, expected, atol=1e-5)
    np.testing.assert_allclose(maps[0], own[0], atol=1e-5)
    away = distance_transform_edt(place.weight == 0, sampling=VOXEL)
    np.testing.assert_array_equal(maps[1][away > 3 * VOXEL], own[0][away > 3 * VOXEL])


def test_a_deep_lesion_is_found_and_none_is_where_nothing_was_put(scored):
    _, _, own = scored
    place = site("sphere")
    maps = np.stack([own[0], np.where(place.mask, own[0].min() - 1, own[0])])
    scores = {"smoothing_mm": 4, "background_mm": 0, "standardise": "brain"}
    settings = ClusterSettings(threshold="own", quantile=0.99, smallest_ml=0.1, most=3)
    others = Others([f"c{number}" for number in range(len(own) - 1)], own[1:], [BRAIN] * 4)
    who, about = {"subject": "c5", "visit": "bl"}, (place, [0.0, 0.9], BRAIN, AFFINE)
    found = find_injected(who, maps, others, *about, scores, settings, BRAIN, None)
    assert found["depth"].tolist() == [0.0, 0.9] and set(found["lesion"]) == {"sphere"}
    assert found["hits"].tolist()[1] == "1"
    hidden = find_injected(who, maps, others, *about, scores, settings, BRAIN & ~place.mask, None)
    assert hidden["hits"].isna().all()  # where the PET has measured nothing
    assert others.limit(BRAIN, AFFINE, scores, settings) is None


def test_threshold_is_of_the_other_controls_alone(scored):
    _, _, own = scored
    scores = {"smoothing_mm": 4, "background_mm": 0, "standardise": "brain"}
    settings = ClusterSettings(threshold="controls", quantile=0.99, smallest_ml=0.1, most=3)
    others = Others([f"c{number}" for number in range(len(own) - 1)], own[1:], [BRAIN] * 4)
    limit = others.limit(BRAIN, AFFINE, scores, settings)
    place = site("sphere")
    maps = np.stack([own[0], np.where(place.mask, own[0].min() - 1, own[0])])
    who, about = {"subject": "c5", "visit": "bl"}, (place, [0.0, 0.9], BRAIN, AFFINE)
    found = find_injected(who, maps, others, *about, scores, settings, BRAIN, limit)
    assert found["threshold"].tolist() == [limit, limit]
    assert found["hits"].tolist()[1] == "1"


def people_found(hits):
    """A table of eight people: of each depth, how many of them have a cluster that meets."""
    rows = []
    for depth, count in hits.items():
        for number in range(8):
            rank = "2" if number < count else None
            about = {"subject": f"c{number}", "lesion_ml": 2.0, "clusters": 3, "hits": rank}
            rows.append({**about, "lesion": "sphere", "depth": depth})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    "hits, floor",
    [
        ({0.0: 1, 0.1: 2, 0.2: 7, 0.3: 8}, 0.2),
        ({0.0: 7, 0.1: 7, 0.2: 7, 0.3: 7}, np.nan),  # no better than with nothing put in
        ({0.0: 0, 0.1: 7, 0.2: 2, 0.3: 8}, 0.3),  # lost again in between
        ({0.0: 0, 0.1: 0, 0.2: 0, 0.3: 3}, np.nan),
    ],
)
def test_the_floor_is_half_of_the_people_and_above_chance(hits, floor):
    table = injection_table({"real": people_found(hits)}, 3)
    rows = table[table["metric"] == SENSITIVITY].set_index("depth")["mean"]
    assert rows.to_dict() == pytest.approx({depth: count / 8 for depth, count in hits.items()})
    assert (table.loc[table["metric"] == FIRST, "mean"] == 0).all()
    found = table.loc[table["metric"] == FLOOR, "mean"].item()
    assert found == floor or (np.isnan(found) and np.isnan(floor))
    assert (table["n"] == 8).all()


def test_figure_has_a_panel_a_lesion_and_the_level_of_chance():
    table = injection_table({"real": people_found({0.0: 2, 0.1: 4, 0.5: 8})}, 3)
    figure = injection_figure(table, {"real": "Real PET"}, {"sphere": "A sphere"}, "a note")
    (axis,) = figure.axes
    line, chance = axis.get_lines()
    assert line.get_xdata().tolist() == [10, 50] and line.get_ydata().tolist() == [0.5, 1]
    assert set(chance.get_ydata()) == {0.25}


def test_configuration(config, schema):
    block = config["gan_anomaly"]["detector"]["injection"]
    block["detectors"] = ["real"]
    check_config(config, schema)
    for name in ("real_pet", "oracle"):
        block["detectors"] = [name]
        with pytest.raises(
            InputError, match=f"injection.detectors: there is no training set '{name}'"
        ):
            check_config(config, schema)
    block["detectors"] = []
    for lesion in ({"label": "a"}, {"label": "a", "radius_mm": 3}, {**LESIONS["sphere"]}):
        block["lesions"] = {"one": lesion}
        with pytest.raises(InputError, match=r"injection\.lesions\.one"):
            check_config(config, schema)


def test_lesions_of_the_default_lie_where_they_say(config, atlases):
    from nibabel import load

    image = load(atlases / "aal.nii.gz")
    names = pd.read_csv(atlases / "aal.tsv", sep="\t").set_index("index")["name"].to_dict()
    atlas = np.asarray(image.dataobj)[::3, ::3, ::3]
    affine = image.affine @ np.diag([3.0, 3.0, 3.0, 1.0])
    block = config["gan_anomaly"]["detector"]["injection"]
    sites = make_sites(block, atlas > 0, atlas.astype(int), names, affine)
    assert [one.name for one in sites] == list(block["lesions"])
    for one in sites:
        inside = {names[label] for label in np.unique(atlas[one.mask & (atlas > 0)])}
        shares = block["lesions"][one.name].get("regions")
        wanted = tuple(shares) if shares else ("Frontal",)
        held = [np.isin(atlas, [k for k in names if names[k].startswith(wanted)])[one.mask].mean()]
        assert held[0] > 0.5, (one.name, inside)
