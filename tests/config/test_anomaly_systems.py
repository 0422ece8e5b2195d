"""What the block of the anomaly detector must say, beyond its schema."""

import pytest

from mri2pet.config.check import check_config
from mri2pet.config.gan_anomaly import check, training_sets
from mri2pet.errors import InputError


def test_detector_learns_from_models_that_there_are(config):
    check(config)
    config["gan_anomaly"]["detector"]["training_sets"]["semi_3d"]["synthetic"] = "cyclegan"
    with pytest.raises(InputError, match=r"training_sets\.semi_3d\.synthetic: .*'cyclegan'"):
        check(config)


@pytest.mark.parametrize("name", ["mean_pet", "oracle", "local_regression"])
def test_detector_learns_from_what_is_no_network_too(config, schema, name):
    sets = config["gan_anomaly"]["detector"]["training_sets"]
    sets["other"] = {"label": "Other", "synthetic": name, "match": True}
    check_config(config, schema)
    for simulated in (True, False):
        known = training_sets(config, simulated)
        assert ("other" in known) == (simulated or name != "oracle")
        assert ("with_oracle" in known) == simulated and "placebo" in known


@pytest.mark.parametrize(
    "sets, further, message",
    [
        ({"a": {"match": True}}, 0, r"a\.match: there is no synthetic PET"),
        ({"a": {"further": True}}, 0, r"a\.further: no control is held back"),
        ({"oracle": {}}, 0, r"oracle: the name is taken"),
        ({"semi3d_cycle_gan": {}}, 0, r"semi3d_cycle_gan: the name is taken"),
        ({"a": {"synthetic": "oracle"}}, 0, "beside those of the oracle"),
        ({"a": {"further": True}}, 3, ""),
    ],
)
def test_training_sets_that_cannot_be(config, schema, sets, further, message):
    labelled = {name: {"label": "A", **entry} for name, entry in sets.items()}
    changed = {"training_sets": labelled, "further_controls": further, "plain": {}}
    config["gan_anomaly"]["detector"] |= changed
    if not message:
        check_config(config, schema)
        return
    with pytest.raises(InputError, match=message):
        check_config(config, schema)


def test_sets_of_the_default_can_be_left_out(config, schema):
    for name in ("placebo", "with_oracle", "patch_3d"):
        config["gan_anomaly"]["detector"]["training_sets"][name] = None
        check_config(config, schema)
        assert name not in training_sets(config, simulated=True)
    assert list(training_sets(config, simulated=False)) == ["real", "semi_3d"]
    config["gan_anomaly"]["detector"]["injection"]["detectors"] = ["placebo"]
    with pytest.raises(InputError, match="no training set 'placebo'"):
        check_config(config, schema)


def test_bundles_are_made_of_training_sets_alone(config, schema):
    block = config["gan_anomaly"]["detector"]
    assert block["bundles"] == []
    for wrong in ("z_pet", "nothing", "semi3d_cycle_gan_mse"):
        block["bundles"] = ["real", wrong]
        with pytest.raises(
            InputError, match=f"detector.bundles: there is no training set '{wrong}'"
        ):
            check_config(config, schema)


def test_simulated_study_must_be_described(config, schema):
    del config["studies"]["epilepsy"]["simulation"]
    with pytest.raises(InputError, match=r"studies\.epilepsy\.simulation: missing"):
        check_config(config, schema)
    config["studies"]["epilepsy"]["raw"] = "/data/epilepsy"
    check_config(config, schema)


def test_controls_of_ixi_need_a_study_to_come_from(config, schema):
    config["gan_anomaly"]["ixi_controls"] = 2
    check_config(config, schema)
    config["systems"].remove("ixi")
    del config["ixi"], config["studies"]["ixi"]
    with pytest.raises(InputError, match=r"ixi_controls: there is no study 'ixi'"):
        check_config(config, schema)


@pytest.mark.parametrize(
    "name, changes, message",
    [
        ("z_difference", {"model": "cyclegan"}, r"plain\.z_difference\.model: .*'cyclegan'"),
        (
            "reconstruction",
            {"training_set": "all"},
            r"plain\.reconstruction\.training_set: .*'all'",
        ),
        ("real", {}, r"plain\.real: a training set has the name"),
        ("chance_real", {}, r"'chance_real' begins as a row"),
        ("shuffled_z", {}, r"'shuffled_z' begins as a row"),
    ],
)
def test_plain_detectors_have_names_of_their_own_and_read_what_there_is(
    config, name, changes, message
):
    plain = config["gan_anomaly"]["detector"]["plain"]
    plain[name] = {**plain.get(name, plain["z_pet"]), **changes}
    with pytest.raises(InputError, match=message):
        check(config)


@pytest.mark.parametrize(
    "entry",
    [
        {"measure": "pet", "age": True},  # no direction
        {"measure": "pet", "age": True, "direction": "hyper"},
        {"measure": "difference", "direction": "both"},  # no model
        {"measure": "difference", "model": "local_regression", "direction": "both", "age": True},
        {"measure": "reconstruction"},
        {"measure": "reconstruction", "training_set": "real", "direction": "hypo"},
    ],
)
def test_a_plain_detector_says_what_it_needs_and_nothing_else(config, schema, entry):
    plain = config["gan_anomaly"]["detector"]["plain"]
    plain["z_pet"]["direction"] = "both"
    check_config(config, schema)
    plain["own"] = {"label": "Own", **entry}
    with pytest.raises(InputError, match=r"detector\.plain\.own"):
        check_config(config, schema)


@pytest.mark.parametrize(
    "key, value",
    [("hit", {"overlap": 1.5, "of": "union", "peak": True}), ("threshold", "patient"), ("hit", {})],
)
def test_clusters_are_described_whole(config, schema, key, value):
    config["gan_anomaly"]["detector"]["clusters"][key] = value
    with pytest.raises(InputError, match=rf"detector\.clusters\.{key}"):
        check_config(config, schema)


@pytest.mark.parametrize(
    "gamma, right", [("scale", True), ("median", True), (0.1, True), (0, False)]
)
def test_the_kernels_width_is_found_or_given(config, schema, gamma, right):
    config["gan_anomaly"]["detector"]["svm"]["gamma"] = gamma
    if right:
        check_config(config, schema)
    else:
        with pytest.raises(InputError, match="gamma"):
            check_config(config, schema)
