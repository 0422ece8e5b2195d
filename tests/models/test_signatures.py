"""A network of the configuration is held against its class, without torch."""

import copy
import subprocess
import sys

import pytest
import yaml

from mri2pet import models
from mri2pet.config.by_name import source_of
from mri2pet.config.check import check_config
from mri2pet.errors import InputError
from mri2pet.models import signatures
from mri2pet.models.registry import MODELS, build, symbol_of
from mri2pet.models.signatures import check_network, signature


@pytest.mark.parametrize("name", MODELS)
def test_the_source_tells_the_settings_that_the_class_takes(name):
    import inspect

    module, _, class_name = symbol_of(name).partition(":")
    network = getattr(__import__(module, fromlist=[class_name]), class_name)
    parameters = list(inspect.signature(network.__init__).parameters.values())[1:]
    told = signature(module.rpartition(".")[2], class_name)
    assert told.known == tuple(each.name for each in parameters)
    needed = tuple(each.name for each in parameters if each.default is each.empty)
    assert told.needed == needed


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "unet3"}, r"^x\.name: no network is named 'unet3' \(did you mean 'unet3d'\?\)"),
        ({"name": "gla-gan"}, "did you mean 'gla_gan'"),
        ({"name": "Zq"}, "'Zq'; known are gla_gan, .* and <file>.<name> of one's own in src"),
        ({"name": "unet4d.UNet3d"}, "no network is named 'unet4d.UNet3d'"),
        ({"name": "../config.Check"}, "no network is named '../config.Check'"),
        ({"name": "unet3d.UNet"}, r"'unet3d\.UNet' \(did you mean 'unet3d\.UNet3d'"),
        ({"name": "unet3d", "filter": [4]}, r"^x\.filter: unet3d has no such.*mean 'filters'"),
        ({"name": "unet3d.UNet3d", "filter": [4]}, "did you mean 'filters'"),
        ({"name": "cycle_gan", "block": 4}, r"x\.block: cycle_gan has .*mean 'blocks'"),
        ({"name": "gla_gan", "lobes": 4}, r"known are filters, patches, global_path, grouped"),
        ({"name": "dual_glow", "side": {"atributes": ["age"]}}, r"x\.side\.atributes: side of"),
        ({"name": "dual_glow", "relation": {"grid": [4]}}, r"x\.relation\.grid: .*known are mri_"),
    ],
)
def test_what_a_network_is_not_or_does_not_take(settings, message):
    with pytest.raises(InputError, match=message):
        check_network("x", settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "unet3d", "filters": [4, 8]},
        {"name": "cvae", "filters": [4, 8], "code": 2},
        {"name": "resnet.PatchGan"},
    ],
)
def test_what_is_passed_can_be_made(settings):
    check_network("x", settings)
    build(settings)


OWN = """
from mri2pet.models.unet3d import UNet3d
from elsewhere import Foreign
class Kept(UNet3d): pass
class Free(Foreign): pass
class Open:
    def __init__(self, width, **others): pass
class Narrow:
    def __init__(self, width, *, depth, height=1): pass
"""


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "own.Kept", "filters": [4]}, None),
        ({"name": "own.Kept", "depth": 4}, "depth: own.Kept has no such setting"),
        ({"name": "own.Free", "depth": 4}, None),
        ({"name": "own.Foreign", "depth": 4}, "no network is named 'own.Foreign'"),
        ({"name": "own.Open", "depth": 4}, None),
        ({"name": "own.Narrow", "width": 4}, "x: own.Narrow needs the setting 'depth'"),
        ({"name": "own.Narrow", "width": 4, "depth": 4}, None),
        ({"name": "broken.Own"}, r"broken\.py: cannot be read as Python"),
    ],
)
def test_a_network_of_ones_own(tmp_path, monkeypatch, settings, message):
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "broken.py").write_text("class Own(:")
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
    caches = (source_of, signatures.signature, signatures._names, signatures._imports)
    for known in caches:
        known.cache_clear()
    try:
        if message:
            with pytest.raises(InputError, match=message):
                check_network("x", settings)
        else:
            check_network("x", settings)
    finally:
        for known in caches:
            known.cache_clear()


@pytest.mark.parametrize(
    ("path", "key", "value", "message"),
    [
        ("gla_gan.models.unet.generator", "name", "unet", "gla_gan.models.unet.generator.name: "),
        ("gla_gan.models.gla_gan.discriminator", "stride", [1], "discriminator.stride: .*strides"),
        ("gla_gan.ablations.variants.l1_ms_ssim", "generator", {"pathces": 2}, "variants.l1_ms_ss"),
        ("gan_anomaly.detector.encoder.network", "name", "siames", "encoder.network.name: .*siame"),
        ("gan_anomaly.detector.encoder.network", "depht", 2, "encoder.network.depht: siamese has"),
    ],
)
def test_the_configuration_is_refused_before_the_first_job(root, path, key, value, message):
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    schema = root / "workflow/schemas/config.schema.yaml"
    config["gla_gan"]["ablations"]["run"] = ["l1_ms_ssim"]  # what is not trained is not looked for
    check_config(copy.deepcopy(config), schema)
    block = config
    for part in path.split("."):
        block = block[part]
    block[key] = value
    with pytest.raises(InputError, match=message):
        check_config(config, schema)


def test_checking_needs_no_torch(root):
    script = (
        "import sys; sys.modules['torch'] = None; import yaml\n"
        "from mri2pet.config.check import check_config\n"
        f"config = yaml.safe_load(open({str(root / 'config/config.yaml')!r}))\n"
        f"check_config(config, {str(root / 'workflow/schemas/config.schema.yaml')!r})"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
