"""A model's entry with the recipe `local_regression`: its own shape, and what is said of faults."""

import pytest

from mri2pet.config.check import check_config
from mri2pet.config.systems import shown_maps, system_models
from mri2pet.errors import InputError
from mri2pet.training.recipes import check_entry, find_closed_form, recipe_symbol

SYSTEMS = ("gla_gan", "dual_glow", "gan_anomaly")


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_pet_system_has_it(config, schema, system):
    check_config(config, schema)
    entry = system_models(config, system)["local_regression"]
    check_entry("here", entry)
    assert entry["label"] == "Local regression"
    assert find_closed_form(entry["recipe"]) is not None
    assert recipe_symbol(entry["recipe"]) == "mri2pet.training.local_regression:fit"
    assert shown_maps(entry)[0] == "mri"


def test_other_models_are_shown_their_source_alone(config):
    for system in ("gla_gan", "dual_glow", "gan_anomaly", "ixi"):
        for name, entry in system_models(config, system).items():
            if name not in ("local_regression", "unet_maps"):
                assert shown_maps(entry) == [entry.get("source", "mri")]
                assert find_closed_form(entry["recipe"]) is None


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": {"epochs": 3}}, r"training: unknown key; .*; a local regression is solved"),
        ({"losses": {"l1": 1.0}}, r"losses: unknown key; .*closed form"),
        ({"parts": {"kind": "slices", "size": 3, "stride": 3}}, r"parts: unknown key"),
        ({"ridge": -0.1}, r"ridge: -0\.1 is less than or equal to"),
        ({"ridge": 0}, r"ridge: 0 is less than or equal to"),
        ({"window_mm": -1}, r"window_mm: -1 is less than"),
        ({"window_mm": None}, r"window_mm: None is not of type"),
        ({"generator": {"name": "unet3d", "filters": [4]}}, r"generator\.filters: unknown key"),
    ],
)
def test_faults_are_named_with_their_key(config, schema, system, changes, message):
    config[system]["models"]["local_regression"] |= changes
    with pytest.raises(InputError, match=rf"{system}\.models\.local_regression\.{message}"):
        check_config(config, schema)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"gmm": [0]}, r"features\.gmm: unknown key; did you mean 'gm'\?"),
        ({"pet": [0]}, r"features\.pet: unknown key"),
        ({"mri": []}, r"features\.mri: \[\] "),
        ({"mri": [-1]}, r"features\.mri\.0: -1 is less than"),
        ({"mri": 6}, r"features\.mri: 6 is not of type 'array'"),
        ({}, r"features: \{\} "),
    ],
)
def test_features_are_maps_with_widths(config, schema, features, message):
    config["gla_gan"]["models"]["local_regression"]["generator"]["features"] = features
    with pytest.raises(InputError, match=rf"local_regression\.generator\.{message}"):
        check_config(config, schema)


@pytest.mark.parametrize("key", ["ridge", "window_mm"])
def test_its_settings_are_of_no_other_recipe(config, schema, key):
    config["gla_gan"]["models"]["unet"][key] = 1.0
    with pytest.raises(
        InputError, match=rf"gla_gan\.models\.unet\.{key}: is a setting of the recipe"
    ):
        check_config(config, schema)


@pytest.mark.parametrize("key", ["losses", "training"])
def test_other_recipes_need_what_they_needed(config, schema, key):
    del config["gla_gan"]["models"]["unet"][key]
    with pytest.raises(InputError, match=rf"gla_gan\.models\.unet: '{key}' is a required"):
        check_config(config, schema)


@pytest.mark.parametrize("system", ["gla_gan", "ixi"])
def test_recipe_and_generator_go_together(config, schema, system):
    name = next(iter(config[system]["models"]))
    generator = {"name": "local_regression", "features": {"mri": [0]}}
    config[system]["models"][name]["generator"] = generator
    with pytest.raises(InputError, match=rf"{system}\.models\.{name}: .* go together alone"):
        check_config(config, schema)


def test_ixi_has_no_maps_for_it(config, schema):
    name = next(iter(config["ixi"]["models"]))
    config["ixi"]["models"][name] |= {
        "recipe": "local_regression",
        "generator": {"name": "local_regression", "features": {"mri": [0]}},
    }
    with pytest.raises(InputError, match=rf"ixi\.models\.{name}\..*mri: the ixi dataset has no"):
        check_config(config, schema)


@pytest.mark.parametrize("part", ["losses", "training"])
def test_a_variant_cannot_change_what_it_has_not(config, schema, part):
    block = config["gla_gan"]["ablations"]
    changes = {"losses": {"l1": 1.0}, "training": {"epochs": 2}}
    block["variants"] = {"other": {"figure": "losses", "label": "x", part: changes[part]}}
    block |= {"base": "local_regression", "run": ["other"]}
    with pytest.raises(InputError, match=rf"variants\.other\.{part}: .* has no {part}"):
        check_config(config, schema)
