"""What the block of the anomaly detector must say, beyond its schema."""

import pytest

from mri2pet.config.check import check_config
from mri2pet.config.gan_anomaly import check
from mri2pet.errors import InputError


def test_detector_learns_from_models_that_there_are(config):
    check(config)
    config["gan_anomaly"]["detector"]["training_sets"]["semi_3d"]["synthetic"] = "cyclegan"
    with pytest.raises(InputError, match=r"training_sets\.semi_3d\.synthetic: .*'cyclegan'"):
        check(config)


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
