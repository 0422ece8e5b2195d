import pytest

from mri2pet.errors import InputError
from mri2pet.models.gla_gan import GlaGan
from mri2pet.models.registry import MODELS, build, symbol_of
from mri2pet.models.unet3d import UNet3d


def test_every_name_builds_its_class():
    assert isinstance(build({"name": "unet3d", "filters": [2, 3]}), UNet3d)
    generator = build({"name": "gla_gan", "filters": [2, 2], "patches": 8})
    assert isinstance(generator, GlaGan)
    assert len(generator.local_paths.paths) == 8
    own = {"local_regression": {"features": {"mri": [0]}}}  # what has no default
    assert {type(build({"name": name, **own.get(name, {})})).__name__ for name in MODELS} == {
        "LocalRegression",
        "GlaGan",
        "GlaGanDiscriminator",
        "UNet3d",
        "CVae",
        "CycleGanGenerator",
        "CycleGanDiscriminator",
        "DualGlow",
        "ResnetGenerator",
        "PatchGan",
        "IxiGenerator",
        "IxiDiscriminator",
        "PatchAutoencoder",
        "RectifiedFlow",
    }


def test_a_class_is_found_by_file():
    assert isinstance(build({"name": "unet3d.UNet3d", "filters": [2, 3]}), UNet3d)
    assert symbol_of("gla_gan") == "mri2pet.models.gla_gan:GlaGan"


@pytest.mark.parametrize("name", ["nothing", "nothing.Class", "unet3d.Nothing", "", "..", None])
def test_unknown_name(name):
    with pytest.raises(InputError, match="no network is named"):
        build({"name": name})


def test_misspelt_setting_is_named():
    with pytest.raises(InputError, match="filter_sizes"):
        build({"name": "unet3d", "filter_sizes": [2, 3]})
