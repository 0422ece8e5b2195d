"""Controls and patients whose PET has not measured all of the brain."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.anomaly.clusters import ClusterSettings
from mri2pet.anomaly.patients import examine
from mri2pet.anomaly.training_sets import asked_volumes, training_volumes

SHAPE = (12, 12, 12)
PET = np.random.default_rng(0).random((5, *SHAPE)).astype(np.float32)
KNOWN, ASKED = (pd.DataFrame({"index": rows}) for rows in ([0, 1, 2], [3, 4]))


def gaps(*visits):
    seen = np.ones(PET.shape, bool)
    for visit in visits:
        seen[visit, :, :, 9:] = False
    return seen


@pytest.mark.parametrize("visit, others", [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])])
def test_a_controls_gap_is_the_mean_of_the_other_controls(visit, others):
    seen = gaps(visit, 4)
    made = training_volumes(np.where(seen, PET, 0), KNOWN, seen=seen)
    expected = PET[others].mean(axis=0)[:, :, 9:]
    np.testing.assert_allclose(made[visit][:, :, 9:], expected, atol=1e-6)
    np.testing.assert_array_equal(made[:, :, :, :9], PET[:3, :, :, :9])


def test_who_is_scored_gets_the_mean_of_the_controls():
    seen = gaps(4)
    made = asked_volumes(np.where(seen, PET, 0), ASKED, KNOWN, seen)
    np.testing.assert_array_equal(made[0], PET[3])
    np.testing.assert_allclose(made[1][:, :, 9:], PET[:3].mean(axis=0)[:, :, 9:], atol=1e-6)
    np.testing.assert_array_equal(asked_volumes(PET, ASKED, KNOWN, None), PET[3:])


def test_no_cluster_is_found_where_nothing_is_measured():
    mask = np.ones(SHAPE, bool)
    scores, lesions = np.zeros((2, *SHAPE)), np.zeros((2, *SHAPE), bool)
    scores[:, 2:4, 2:4, 2:4], scores[:, 5:8, 5:8, 9:] = 4, 9
    names = pd.DataFrame({"subject": ["a", "b"], "visit": "bl"})
    settings = ClusterSettings(quantile=0.9, smallest_ml=0.001)
    seen = gaps(4)[3:]
    ranks, table, patients = examine(names, scores, lesions, mask, np.eye(4), settings, seen)
    assert patients["clusters"].tolist() == [2, 1]
    assert not ranks[1][:, :, 9:].any() and ranks[0][:, :, 9:].any()
    assert table[table["subject"] == "b"]["z"].max() < 9
