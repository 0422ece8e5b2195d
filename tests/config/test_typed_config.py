"""Values nested in `--config` come as text, and are read as what the schema wants."""

import copy

import pytest
from snakemake.cli import parse_config
from snakemake.utils import update_config

from mri2pet.config.check import check_config
from mri2pet.config.schema import load_schema
from mri2pet.config.typed import read_scalar, typed
from mri2pet.errors import InputError


@pytest.fixture
def given(config, schema):
    """Lay what a user types behind --config over the default, as Snakemake does, and read it."""

    def lay(*entries):
        full = copy.deepcopy(config)
        update_config(full, parse_config(entries))
        return typed(full, load_schema(schema))

    return lay


GLA_GAN = "gla_gan={models: {gla_gan: {%s}}}"


@pytest.mark.parametrize(
    ("entry", "keys", "value"),
    [
        ("folds={n: 2}", "folds.n", 2),
        ("gla_gan={crop: 8}", "gla_gan.crop", 8),
        ("simulation={mri_voxel_mm: [2, 1.5, 2.]}", "simulation.mri_voxel_mm", [2, 1.5, 2.0]),
        (GLA_GAN % "training: {learning_rate: 1e-3}", "training.learning_rate", 1e-3),
        (GLA_GAN % "training: {repeatable: true}", "training.repeatable", True),
        (GLA_GAN % "training: {repeatable: null}", "training.repeatable", None),
        (GLA_GAN % "losses: {roi: 0.5}", "losses.roi", 0.5),
        (GLA_GAN % "losses: {ssim: {weight: 2, window: 5}}", "losses.ssim.window", 5),
        (GLA_GAN % "generator: {filters: [2, 4], grouped: false}", "generator.filters", [2, 4]),
        (GLA_GAN % "generator: {dropout: 0.5}", "generator.dropout", 0.5),
        (GLA_GAN % "generator: {patches: lobes}", "generator.patches", "lobes"),
        ("ixi={simulation: {t1_voxel_mm: null}}", "ixi.simulation.t1_voxel_mm", None),
        ("studies={ixi: {raw: 2024}}", "studies.ixi.raw", "2024"),
        ("gla_gan={diagnosis: {gamma: [scale, 0.01]}}", "gla_gan.diagnosis.gamma", ["scale", 0.01]),
        ("ixi=null", "ixi", None),
    ],
)
def test_numbers_are_numbers_and_names_are_text(given, entry, keys, value):
    found = given(entry)
    if "models" in entry:
        found = found["gla_gan"]["models"]["gla_gan"]
    for key in keys.split("."):
        found = found[key]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("entry", ["folds={n: 2}", "gla_gan={crop: 8}", "preproc={n4_shrink: 3}"])
def test_what_is_read_is_valid(given, schema, entry):
    check_config(given(entry), schema)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("folds={n: two}", "folds.n: 'two' is not of type 'integer'"),
        ("folds={n: 1}", "folds.n: 1 is less than"),
        ("folds={n: 2.5}", "folds.n: 2.5 is not of type 'integer'"),
        ("gla_gan={cropp: 8}", "did you mean 'crop'"),
    ],
)
def test_what_is_wrong_is_still_told(given, schema, entry, told):
    with pytest.raises(InputError, match=told):
        check_config(given(entry), schema)


def test_a_configuration_of_files_stays_as_it_is_and_is_copied(config, schema):
    kept = copy.deepcopy(config)
    read = typed(config, load_schema(schema))
    assert read == kept
    read["folds"]["n"] = 99
    read["studies"]["dementia"]["groups"].append("x")
    assert config == kept


@pytest.mark.parametrize(
    "text", ["2024-01-31", "[1]", "{a: 1}", "a: b: c", "'1'", "nan", "1_000 x"]
)
def test_text_that_is_no_scalar_stays_text(text):
    assert read_scalar(text) == text


def test_a_loss_of_ones_own_has_numbers(given):
    found = given(GLA_GAN % "losses: {my_file.one: 2, my_file.two: {weight: 0.5, power: 3}}")
    losses = found["gla_gan"]["models"]["gla_gan"]["losses"]
    assert losses["my_file.one"] == 2
    assert losses["my_file.two"] == {"weight": 0.5, "power": 3}
