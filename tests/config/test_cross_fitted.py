"""Which models can be cross-fitted, and in how many folds."""

import pytest

from mri2pet.config.check import check_config
from mri2pet.config.cross_fitted import cross_fitted
from mri2pet.config.systems import RESERVED
from mri2pet.diagnosis.methods import MEAN_PET, NOTHING_MADE
from mri2pet.errors import InputError
from mri2pet.evaluation.image_tables import REFERENCES


@pytest.fixture(params=[("gla_gan", "unet"), ("dual_glow", "ucgan")], ids=lambda p: p[0])
def wanted(request, config):
    system, model = request.param
    config[system]["diagnosis"]["cross_fitted"] = [model]
    return config, system, model


def test_a_model_is_cross_fitted_in_three_folds_and_none_in_two(wanted, schema):
    config, system, model = wanted
    check_config(config, schema)
    assert cross_fitted(config, system) == [model]
    config["folds"]["n"] = 2
    check_config(config, schema)
    assert cross_fitted(config, system) == []


@pytest.mark.parametrize("system", ["gla_gan", "dual_glow", "ixi"])
def test_without_the_key_there_is_none(config, system):
    config[system].get("diagnosis", {}).pop("cross_fitted", None)
    assert cross_fitted(config, system) == []


def test_a_model_that_is_not_there_is_named_with_those_that_are(wanted, schema):
    config, system, model = wanted
    config[system]["diagnosis"]["cross_fitted"] = ["mean_pet"]
    with pytest.raises(InputError, match=rf"no model 'mean_pet' in {system}\.models.*{model}"):
        check_config(config, schema)


def test_a_model_that_goes_on_from_another_is_refused(wanted, schema):
    config, system, model = wanted
    models = config[system]["models"]
    models["begun"] = dict(models[model])
    models[model]["start"] = "begun"
    with pytest.raises(InputError, match=f"cross_fitted: {model} goes on from begun"):
        check_config(config, schema)


def test_a_model_that_is_told_the_diagnosis_is_refused(config, schema):
    config["dual_glow"]["diagnosis"]["cross_fitted"] = ["dual_glow", "dual_glow_side"]
    with pytest.raises(InputError, match="dual_glow_side is told the diagnosis"):
        check_config(config, schema)


def test_every_row_that_is_no_model_has_a_name_that_no_model_may_take():
    assert set(REFERENCES) <= set(RESERVED)
    assert {*NOTHING_MADE, MEAN_PET} <= set(REFERENCES)


@pytest.mark.parametrize("name", ["mri_age_sex", "only_mri", "real_pet"])
def test_rows_without_a_model_are_no_names_of_models(config, schema, name):
    models = config["gla_gan"]["models"]
    models[name] = models["unet"]
    with pytest.raises(InputError, match=rf"gla_gan\.models\.{name}: the name is taken"):
        check_config(config, schema)
