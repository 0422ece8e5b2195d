"""The detector of the default configuration on lesions planted in simulated PET.

PET is made in the template's space (`epilepsy_fakes`): registration is not run.
"""

import numpy as np
import pandas as pd
import pytest
import yaml
from epilepsy_fakes import make_study

from mri2pet.anomaly.clusters import ClusterSettings
from mri2pet.anomaly.detection import Curves
from mri2pet.anomaly.encoder import train_encoder
from mri2pet.anomaly.examination import Space, examine_everyone
from mri2pet.anomaly.patients import known, ranked
from mri2pet.anomaly.plain import expected_by_age
from mri2pet.anomaly.scoring import decision_maps
from mri2pet.simulation.template import make_template

DEPTHS = (0.5, 0.3)
PATIENTS = 4
DETECTORS = ("real", "z_pet")


@pytest.fixture(scope="module")
def found(root, atlases):
    """Detector and depth to what the settings of config.yaml find."""
    config = yaml.safe_load((root / "config/config.yaml").read_text())["gan_anomaly"]
    detector = config["detector"]
    folds = config["folds"]["n"] * detector["splits"]
    template = make_template(atlases)
    studies = [make_study(template, 8, PATIENTS, depth) for depth in DEPTHS]
    controls, mask, affine = studies[0].controls, studies[0].mask, studies[0].affine
    patients = np.concatenate([study.patients for study in studies])
    decisions = {name: [np.zeros_like(controls), np.zeros_like(patients)] for name in DETECTORS}
    for fold in range(folds):
        held = np.arange(len(controls)) % folds == fold
        network, _ = train_encoder(detector["encoder"], controls[~held], mask, "real", fold, 1)
        people = np.concatenate([controls[held], patients])
        unknown = [np.full(len(each), np.nan) for each in (controls[~held], people)]
        maps = {
            "real": decision_maps(network, controls[~held], people, mask, **detector["svm"]),
            "z_pet": people - expected_by_age(controls[~held], *unknown),
        }
        for name, own in maps.items():
            decisions[name][0][held] = own[: held.sum()]
            decisions[name][1] += own[held.sum() :] / folds
    visits = pd.DataFrame(
        {
            "subject": [*(f"c{n}" for n in range(8)), *(f"p{n}" for n in range(len(patients)))],
            "visit": "bl",
            "role": [*["control"] * 8, *["patient"] * len(patients)],
            "fold": [*(n % folds for n in range(8)), *[np.nan] * len(patients)],
            "dataset_index": range(8 + len(patients)),
        }
    )
    lesions = np.concatenate([study.lesions for study in studies])
    scores = {"real": detector["scores"], "z_pet": {**detector["scores"], "standardise": "voxel"}}
    examined = {
        name: examine_everyone(
            visits,
            np.concatenate(decisions[name]),
            lesions,
            visits[:8],
            Space(mask, mask, affine),
            scores[name],
            ClusterSettings.of(detector["clusters"]),
            seed=1,
        )
        for name in DETECTORS
    }
    return {
        (name, depth): part(each, number)
        for name, each in examined.items()
        for number, depth in enumerate(DEPTHS)
    }


def part(examined, number):
    """Return the curves of the patients of one study."""
    own = examined.patients[number * PATIENTS : (number + 1) * PATIENTS]
    return Curves.of(ranked(own), known(own), examined.chance)


@pytest.mark.parametrize("detector", DETECTORS)
def test_half_the_uptake_lost_is_found_first_in_every_patient(found, detector):
    assert found[detector, 0.5].found.all()


@pytest.mark.parametrize("detector", DETECTORS)
def test_subtle_lesions_are_found_more_often_than_moved_ones(found, detector):
    curves = found[detector, 0.3]
    assert curves.found.mean() > curves.chance.mean() + 0.1
    assert 0 < curves.chance.mean() < 0.1  # these clusters are few, and elsewhere


def test_controls_have_some_clusters_and_not_the_patients_lesions(found):
    """Chance is not that of the patients' own clusters: with these it would be one."""
    curves = found["real", 0.5]
    assert curves.chance.shape == (PATIENTS, 8, 10)
    assert curves.elsewhere.max() < 0.2
