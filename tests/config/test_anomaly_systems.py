"""What the block of the anomaly detector must say, beyond its schema."""

import pytest

from mri2pet.config.systems import check_gan_anomaly
from mri2pet.errors import InputError


def test_detector_learns_from_models_that_there_are(config):
    check_gan_anomaly(config)
    config["gan_anomaly"]["detector"]["training_sets"]["semi_3d"]["synthetic"] = "cyclegan"
    with pytest.raises(InputError, match=r"training_sets\.semi_3d\.synthetic: .*'cyclegan'"):
        check_gan_anomaly(config)


def test_simulated_study_must_be_described(config):
    del config["gan_anomaly"]["simulation"]
    with pytest.raises(InputError, match=r"gan_anomaly\.simulation: missing"):
        check_gan_anomaly(config)
    config["gan_anomaly"]["raw"] = "/data/epilepsy"
    check_gan_anomaly(config)
