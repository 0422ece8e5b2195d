"""Repeated trainings are further entries, by names of their own."""

import copy

import pytest

from mri2pet.config.check import check_config
from mri2pet.config.repeats import first_and_number, repeat_entries, repeat_name, repeats_of
from mri2pet.config.systems import system_models
from mri2pet.errors import InputError
from mri2pet.training.data import seed_from

ENTRIES = {
    "g3": {"recipe": "gan", "training": {"epochs": 2}},
    "g4": {"recipe": "gan", "start": "g3"},
    "local": {"recipe": "local_regression"},
}


def test_one_training_is_the_default_and_a_systems_own_number_goes_before(config):
    assert repeats_of(config, "gla_gan") == 1
    config["repeats"] = 3
    config["ixi"]["repeats"] = 2
    assert [repeats_of(config, system) for system in ("gla_gan", "ixi")] == [3, 2]


def test_further_trainings_have_the_same_entry_and_go_on_from_their_own_kind():
    before = copy.deepcopy(ENTRIES)
    made = repeat_entries(ENTRIES, 3)
    assert list(made) == ["g3__2", "g4__2", "g3__3", "g4__3"]
    assert made["g3__3"] == ENTRIES["g3"]
    assert [made[name]["start"] for name in ("g4__2", "g4__3")] == ["g3__2", "g3__3"]
    made["g3__2"]["training"]["epochs"] = 9
    assert before == ENTRIES
    assert repeat_entries(ENTRIES, 1) == {}


@pytest.mark.parametrize(
    ("own", "expected", "starts"),
    [
        ({"g3": 3, "g4": 3}, ["g3__2", "g4__2", "g3__3", "g4__3"], ["g3__2", "g3__3"]),
        ({"g3": 2, "g4": 3}, ["g3__2", "g4__2", "g4__3"], ["g3__2", "g3__2"]),
        ({"g3": 1, "g4": 2}, ["g4__2"], ["g3"]),
        ({"g4": 2, "local": 5}, ["g4__2"], ["g3"]),
    ],
)
def test_a_models_own_number_goes_before_that_of_its_system(own, expected, starts):
    entries = {
        name: entry | ({"repeats": own[name]} if name in own else {})
        for name, entry in ENTRIES.items()
    }
    made = repeat_entries(entries, 1)
    assert list(made) == expected
    assert [made[name]["start"] for name in made if name.startswith("g4")] == starts


def test_variants_are_trained_as_often_as_their_system_says(config):
    config["gla_gan"]["ablations"]["run"] = ["k2"]
    config["gla_gan"]["models"]["gla_gan"]["repeats"] = 3
    made = repeat_entries(system_models(config, "gla_gan"), 1)
    assert {"gla_gan__2", "gla_gan__3"} <= set(made)
    assert not [name for name in made if name.startswith("k2")]


def test_variants_are_repeated_too(config):
    config["gla_gan"]["ablations"]["run"] = ["k2"]
    assert "k2__2" in repeat_entries(system_models(config, "gla_gan"), 2)


@pytest.mark.parametrize("name", ["gla_gan", "g3", "a_b_2", "x__y"])
def test_names_lead_back_to_the_model(name):
    assert first_and_number(name) == (name, 1)
    assert first_and_number(repeat_name(name, 12)) == (name, 12)


def test_another_name_is_another_seed():
    seeds = {seed_from(1, name, 0) for name in ("unet", "unet__2", "unet__3")}
    assert len(seeds) == 3


@pytest.mark.parametrize(
    ("block", "key"), [("models", "models"), ("ablations", "ablations.variants")]
)
def test_a_name_like_that_of_a_repeat_is_refused(config, schema, block, key):
    held = config["gla_gan"][block]
    held = held["variants"] if block == "ablations" else held
    held["odd__2"] = next(iter(held.values()))
    with pytest.raises(InputError, match=rf"gla_gan\.{key}\.odd__2: names that end in two"):
        check_config(config, schema)


@pytest.mark.parametrize("value", [0, -1, 1.5])
def test_the_number_is_whole_and_above_zero(config, schema, value):
    config["repeats"] = value
    with pytest.raises(InputError, match="repeats"):
        check_config(config, schema)
