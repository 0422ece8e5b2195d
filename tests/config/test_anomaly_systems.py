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
    config["gan_anomaly"]["detector"] |= {"training_sets": labelled, "further_controls": further}
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
