"""The configurations that ship are valid; a misspelt key is named."""

import copy

import pytest
import yaml
from snakemake.utils import update_config

from mri2pet.config.check import check_config
from mri2pet.config.left_out import without_left_out
from mri2pet.config.systems import SYSTEMS
from mri2pet.errors import InputError
from mri2pet.training.settings import TrainingSettings

INJECTED = "gan_anomaly.detector.injection.lesions"


def test_the_default_is_valid(config, schema):
    check_config(config, schema)


@pytest.mark.parametrize("folder", ["paper", "study"])
def test_every_other_configuration_is_valid(config, schema, root, folder):
    papers = sorted((root / "config" / folder).glob("*.yaml"))
    assert papers
    for path in papers:
        full = copy.deepcopy(config)
        update_config(full, yaml.safe_load(path.read_text()))
        check_config(without_left_out(full, SYSTEMS), schema)


@pytest.mark.parametrize("system", ["gla_gan", "dual_glow", "ixi"])
def test_a_model_and_a_system_of_null_are_like_those_not_there(config, schema, system):
    before = copy.deepcopy(config)
    last = list(config[system]["models"])[-1]
    laid = copy.deepcopy(config) | {"gan_anomaly": None}
    laid[system]["models"][last] = None
    del before["gan_anomaly"], before[system]["models"][last]
    assert without_left_out(laid, SYSTEMS) == before
    assert laid[system]["models"][last] is None


@pytest.mark.parametrize("study", [None, "gla_gan"])
def test_models_of_gla_gan_s_table_take_one_number_of_steps(config, root, study):
    full = copy.deepcopy(config)
    if study:
        update_config(full, yaml.safe_load((root / f"config/study/{study}.yaml").read_text()))
    entries = full["gla_gan"]["models"].values()
    trained = [e["training"] for e in entries if "training" in e and not e.get("start")]
    assert len(trained) > 3
    assert {training["steps"] for training in trained} == {600}
    # no setting for few people is left in the paper's configuration
    update_config(full, yaml.safe_load((root / "config/paper/gla_gan.yaml").read_text()))
    of_paper = [e["training"] for e in full["gla_gan"]["models"].values() if "training" in e]
    assert {training.get("steps") for training in of_paper} == {None}
    assert {training.get("jitter", 0) for training in of_paper} == {0}


def flow_steps(entry, people):
    """Return the steps of one training on so many people."""
    settings = TrainingSettings.from_config(entry["training"])
    return settings.length(-(-people // settings.batch_size))[1]


@pytest.mark.parametrize(("study", "people"), [(None, 9), (None, 10), ("dual_glow", 48)])
def test_models_of_dual_glow_s_table_start_alike_and_take_one_number_of_steps(
    config, root, study, people
):
    full = copy.deepcopy(config)
    if study:
        update_config(full, yaml.safe_load((root / f"config/study/{study}.yaml").read_text()))
    trained = {n: e for n, e in full["dual_glow"]["models"].items() if "training" in e}
    peers = {"ucgan", "pix2pix"} | ({"cgan", "cvae"} if study else set())
    assert set(trained) == peers | {"dual_glow", "dual_glow_side"}
    assert len({flow_steps(entry, people) for entry in trained.values()}) == 1
    assert all(entry["generator"]["standardise"] is True for entry in trained.values())


def test_nothing_for_few_people_is_left_in_dual_glow_s_paper_configuration(config, root):
    update_config(config, yaml.safe_load((root / "config/paper/dual_glow.yaml").read_text()))
    models = config["dual_glow"]["models"]
    peers = {"cgan", "ucgan", "cvae", "pix2pix"}
    assert set(models) == peers | {"dual_glow", "dual_glow_side", "local_regression"}
    for name in peers:
        assert not models[name]["generator"].get("standardise", False)
        assert models[name]["training"].get("steps") is None
        assert models[name]["training"].get("jitter", 0) == 0
    small = yaml.safe_load((root / "config/config.yaml").read_text())["dual_glow"]["diagnosis"]
    wide = config["dual_glow"]["diagnosis"]
    for key, ratio in (("C", 2**20), ("gamma", 2**17)):
        values = [value for value in wide[key] if value != "scale"]
        assert len(values) > 8 > len(small[key])
        assert max(values) / min(values) >= ratio


def test_every_key_of_the_default_is_explained(config, root):
    text = (root / "config/README.md").read_text()
    text += text.replace("`<system>.models.<model>", "`ixi.models.<model>")  # explained once
    unexplained = [key for key in leaves(config) if not any(f"`{up}`" in text for up in ups(key))]
    assert not unexplained


def ups(key: str) -> list[str]:
    """Return a key, and the block whose row may explain all of it."""
    return [key, key.rpartition(".")[0]]


def leaves(node: dict, stem: str = "") -> list[str]:
    keys = []
    for key, value in node.items():
        # every model and every variant has the same keys, explained once
        special = {
            "studies.": "studies.<name>",
            "gla_gan.models.": "<system>.models.<model>",
            "dual_glow.models.": "<system>.models.<model>",
            "gan_anomaly.models.": "<system>.models.<model>",
            "gan_anomaly.detector.training_sets.": "gan_anomaly.detector.training_sets.<name>",
            f"{INJECTED}.": f"{INJECTED}.<name>",
            "gan_anomaly.detector.plain.": "gan_anomaly.detector.plain.<name>",
            "ixi.models.": "ixi.models.<model>",
            "gla_gan.ablations.variants.": "gla_gan.ablations.variants.<variant>",
        }
        full = special.get(stem, stem + key)
        inside = isinstance(value, dict) and not stem.endswith(".<variant>.")
        keys += leaves(value, full + ".") if inside else [full]
    return keys


@pytest.mark.parametrize(
    ("path", "near"),
    [
        (["studies", "dementia", "max_days_appart"], "max_days_apart"),
        (["studies", "ixi", "simulation", "peoples"], "people"),
        (["gla_gan", "models", "unet", "trainning"], "training"),
        (["sede"], "seed"),
    ],
)
def test_a_misspelt_key_is_named_with_the_nearest_known(config, schema, path, near):
    node = config
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = 3
    with pytest.raises(InputError) as caught:
        check_config(config, schema)
    assert f"{'.'.join(path)}: unknown key; did you mean '{near}'?" in str(caught.value)


def test_a_value_out_of_range_names_its_key(config, schema):
    config["folds"]["n"] = 1
    with pytest.raises(InputError, match=r"folds\.n: 1 is less than the minimum of 2"):
        check_config(config, schema)


@pytest.mark.parametrize(
    ("system", "old", "value", "now"),
    [
        ("", "cohort", {"groups": ["CN"], "exclude": []}, "studies.dementia"),
        ("", "simulation", {"paired": 3, "mri_only": 1}, "studies.dementia.simulation"),
        ("gan_anomaly", "raw", "/data/epilepsy", "studies.epilepsy.raw"),
        ("gan_anomaly", "simulation", {"patients": 3}, "studies.epilepsy.simulation"),
        ("ixi", "raw", "/data/IXI", "studies.ixi.raw"),
        ("ixi", "simulation", {"people": 3}, "studies.ixi.simulation"),
    ],
)
def test_an_earlier_key_is_named_with_where_it_went(config, schema, system, old, value, now):
    (config[system] if system else config)[old] = value
    with pytest.raises(InputError) as caught:
        check_config(config, schema)
    below = [f".{name}" for name in value] if isinstance(value, dict) else [""]
    full = f"{system}.{old}" if system else old
    assert str(caught.value).count("is now") == len(below)
    for name in below:
        assert f"{full}{name}: is now {now}{name} (CHANGELOG.md)" in str(caught.value)
    assert "unknown key" not in str(caught.value)


def test_an_earlier_key_names_the_study_as_it_is_called_here(config, schema):
    config["studies"]["mine"] = config["studies"].pop("dementia")
    for system in ("gla_gan", "dual_glow"):
        config[system]["study"] = "mine"
    config["cohort"] = {"max_days_apart": 90}
    with pytest.raises(InputError, match=r"is now studies\.mine\.max_days_apart"):
        check_config(config, schema)


def test_an_earlier_key_with_another_meaning_is_named_with_its_own_place(config, schema):
    config["ixi"]["patches"] = {"size": 32, "stride": 16}
    with pytest.raises(InputError) as caught:
        check_config(config, schema)
    assert "ixi.patches.size: is now ixi.parts.size" in str(caught.value)
    assert "ixi.patches.stride: is now ixi.parts.synthesis_stride" in str(caught.value)
