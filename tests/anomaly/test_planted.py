"""The detector of the default configuration on lesions planted in simulated PET.

PET is made in the template's space (`epilepsy_fakes`): registration is not run.
"""

import numpy as np
import pandas as pd
import pytest
import yaml
from epilepsy_fakes import make_study

from mri2pet.anomaly.clusters import ClusterSettings
from mri2pet.anomaly.detection import area, detection_curve
from mri2pet.anomaly.encoder import train_encoder
from mri2pet.anomaly.maps import anomaly_maps, sigma_voxels
from mri2pet.anomaly.patients import examine, ranked
from mri2pet.anomaly.scoring import decision_maps
from mri2pet.simulation.template import make_template

DEPTHS = (0.5, 0.3)
PATIENTS = 4


@pytest.fixture(scope="module")
def found(root, atlases):
    """Depth to the table of patients, by the detector of config.yaml."""
    config = yaml.safe_load((root / "config/config.yaml").read_text())["gan_anomaly"]
    detector = config["detector"]
    folds = config["folds"]["n"] * detector["splits"]
    template = make_template(atlases)
    studies = [make_study(template, 8, PATIENTS, depth) for depth in DEPTHS]
    controls, mask, affine = studies[0].controls, studies[0].mask, studies[0].affine
    patients = np.concatenate([study.patients for study in studies])
    left_out, scored = np.zeros_like(controls), np.zeros_like(patients)
    for fold in range(folds):
        held = np.arange(len(controls)) % folds == fold
        network, _ = train_encoder(detector["encoder"], controls[~held], mask, "real", fold, 1)
        people = np.concatenate([controls[held], patients])
        maps = decision_maps(network, controls[~held], people, mask, **detector["svm"])
        left_out[held] = maps[: held.sum()]
        scored += maps[held.sum() :] / folds
    how = detector["scores"]
    near, far = (sigma_voxels(how[f"{name}_mm"], affine) for name in ("smoothing", "background"))
    scores = anomaly_maps(left_out, scored, mask, near, how["standardise"], far)
    settings = ClusterSettings(**detector["clusters"])
    tables = {}
    for number, (depth, study) in enumerate(zip(DEPTHS, studies, strict=True)):
        own = slice(number * PATIENTS, (number + 1) * PATIENTS)
        names = pd.DataFrame({"subject": range(PATIENTS), "visit": "bl"})
        tables[depth] = examine(names, scores[own], study.lesions, mask, affine, settings)[2]
    return tables


def test_half_the_uptake_lost_is_found_first_in_every_patient(found):
    assert [min(patient.hits, default=0) for patient in ranked(found[0.5])] == [1] * PATIENTS


def test_subtle_lesions_rank_above_chance(found):
    curve = detection_curve(ranked(found[0.3]), 10)
    assert area(curve) > area(curve, "random") + 0.1
