"""Metrics and regional means of a PET that has not measured all of the brain."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.diagnosis.features import feature_table, regional_means
from mri2pet.evaluation.image_metrics import METRICS, comparable, measure_visits
from mri2pet.evaluation.regions import BRAIN, region_values

SHAPE = (20, 20, 20)
MASK = np.zeros(SHAPE, bool)
MASK[2:-2, 2:-2, 2:-2] = True
WHOLE = np.random.default_rng(0).random((3, *SHAPE)) * MASK
SEEN = np.ones(WHOLE.shape, bool)
SEEN[1, :, :, 14:] = False
SEEN[2, :6] = False
REAL = WHOLE * SEEN
VISITS = pd.DataFrame(
    {"index": [0, 1, 2], "subject": list("abc"), "visit": "bl", "group": "CN", "role": "test"}
).assign(kind="paired", age=70.0)


def values(seen):
    noise = 0.05 * np.random.default_rng(1).standard_normal(WHOLE.shape) * MASK
    table = measure_visits(VISITS, REAL, WHOLE + noise, MASK, 0, seen=seen)
    return table.pivot(index="subject", columns="metric", values="value")


@pytest.mark.parametrize("metric", [name for name in METRICS if METRICS[name].function])
def test_a_gap_does_not_count_as_an_error(metric):
    told, untold = values(SEEN)[metric], values(None)[metric]
    sign = 1 if METRICS[metric].higher_is_better else -1
    assert told["a"] == untold["a"]  # it has no gap
    for visit in "bc":
        assert sign * told[visit] > sign * untold[visit]
        assert told[visit] == pytest.approx(told["a"], rel=0.1)


def test_volumes_do_not_differ_in_a_gap():
    real, made, mask = comparable(REAL, WHOLE[1], MASK, SEEN, 1)
    np.testing.assert_array_equal(real, made)
    np.testing.assert_array_equal(mask, MASK & SEEN[1])
    same = comparable(REAL, WHOLE[1], MASK, None, 1)
    assert same[1] is not made and same[2] is MASK


ATLAS = np.zeros(SHAPE, np.uint8)
ATLAS[:, :, :7], ATLAS[:, :, 7:14], ATLAS[:, :, 14:] = 1, 2, 3


@pytest.mark.parametrize("cut, missing", [(14, [3]), (11, [3]), (10, [2, 3]), (8, [2, 3])])
def test_means_are_of_what_is_measured_and_a_region_hardly_measured_has_none(cut, missing):
    seen = np.ones(SHAPE, bool)
    seen[:, :, cut:] = False
    inside = np.where(MASK, ATLAS, 0)
    means = regional_means(WHOLE[0] * seen, MASK, inside, 3, seen)
    for region in (1, 2, 3):
        if region in missing:
            assert np.isnan(means[region - 1])
        else:
            expected = WHOLE[0][(inside == region) & seen].mean()
            assert means[region - 1] == pytest.approx(expected)


def test_tables_of_features_take_the_gaps_of_their_own_visits():
    names = ["low", "middle", "high"]
    rows = VISITS.iloc[[1, 2]]
    table = feature_table(rows, "PET", REAL[1:], {"all": MASK}, ATLAS, MASK, names, SEEN)
    wide = table.pivot(index="subject", columns="name", values="value")
    assert np.isnan(wide.loc["b", "high"]) and wide.drop(index="b").notna().all().all()
    kept = (np.where(MASK, ATLAS, 0) == 1) & SEEN[2]
    assert wide.loc["c", "low"] == pytest.approx(WHOLE[2][kept].mean())
    regions = region_values(rows, REAL[1:], MASK, ATLAS, names, "real", "own", 0, SEEN)
    brain = regions[(regions["region"] == BRAIN) & (regions["subject"] == "b")]["value"].item()
    assert brain == pytest.approx(WHOLE[1][MASK & SEEN[1]].mean())
