"""The table of detectors: rows, intervals, McNemar's tests."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.anomaly.chance import CONTROLS, PATIENTS
from mri2pet.anomaly.detection_tables import (
    ABOVE,
    AREA,
    FIRST,
    SENSITIVITY,
    Found,
    detection_table,
    detector_tests,
    of_first,
)
from mri2pet.anomaly.intervals import (
    count_interval,
    crossed_interval,
    difference_interval,
    share_interval,
)
from mri2pet.anomaly.patients import ranked
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.evaluation.resampling import subject_weights
from mri2pet.evaluation.statistics import mcnemar_test
from mri2pet.files import read_tsv, write_tsv

NOTHING = pd.DataFrame(columns=["model", "metric", "mean", "sd"])
HITS = {
    "real": [None] * 3 + ["3"] * 3 + ["1"] * 6 + ["1"] * 2,
    "semi_3d": ["1,2"] * 12 + [None] * 2,
    "none": [None] * 14,
}
MOST = 3
INTERVALS = (share_interval, difference_interval, count_interval)


def found(hits, moved=(0.01, 0.02, 0.03)):
    """Fourteen patients of whom the last two have no known lesion; five controls."""
    names = [f"p{number:02d}" for number in range(14)]
    patients = pd.DataFrame(
        {
            "subject": names,
            "visit": "bl",
            "lesion_ml": [1.0] * 12 + [np.nan] * 2,
            "clusters": 4,
            "hits": hits,
        }
    )
    controls = pd.DataFrame(
        {"subject": [f"c{n}" for n in range(5)], "visit": "bl", "clusters": [0, 1, 2, 0, 4]}
    )
    rng = np.random.default_rng(0)
    rows = [
        (subject, "bl", among, other, 1000, *(rng.uniform(0.5, 1.5) * np.array(moved)))
        for subject in names[:12]
        for among, others in ((CONTROLS, controls["subject"]), (PATIENTS, [subject]))
        for other in others
    ]
    steps = [f"within_{k}" for k in range(1, MOST + 1)]
    chance = pd.DataFrame(rows, columns=["subject", "visit", "among", "other", "places", *steps])
    people = [*names, *controls["subject"]]
    clusters = pd.DataFrame(
        {"subject": people, "visit": "bl", "excess": range(len(people)), "hit": 0}
    )
    return Found(patients, controls, clusters, chance)


@pytest.fixture(scope="module")
def table():
    return detection_table({name: found(hits) for name, hits in HITS.items()}, NOTHING)


def rows_of(table, dataset):
    return table[table["dataset"] == dataset].set_index(["method", "metric"])


def test_rows_are_one_a_method_and_metric_with_an_interval_each(table):
    assert list(table.columns) == list(COLUMNS)
    assert not table.duplicated(["dataset", "method", "metric"]).any()
    assert set(table["method"]) == {
        f"{before}{name}" for before in ("", "chance_", "shuffled_") for name in HITS
    }
    assert table[["mean", "low", "high"]].notna().all(axis=None)
    assert (table["low"] <= table["mean"]).all() and (table["mean"] <= table["high"]).all()
    steps = {of_first(k) for k in range(1, MOST + 1)} | {SENSITIVITY, AREA}
    for method in ("real", "chance_real", "shuffled_real"):
        assert steps <= set(table[table["method"] == method]["metric"])


def test_sensitivities_have_intervals_over_patients_whose_lesion_is_known(table):
    """Of twelve patients three are missed and three found late; two with no known lesion."""
    rows = rows_of(table, "Patients")
    assert rows.loc[("real", SENSITIVITY), "mean"] == 0.75
    assert rows.loc[("real", FIRST), "mean"] == 0.5
    assert rows.loc[("real", AREA), "mean"] == pytest.approx((0.5 + 0.5 + 0.75) / 3)
    assert rows.loc[("real", SENSITIVITY), "n"] == 12
    row = rows.loc[("real", FIRST)]
    expected = 2.2 * np.sqrt(0.5 * 0.5 / 11)  # Student's of twelve people
    assert (row["high"] - row["low"]) / 2 == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize(
    "detector, low, high", [("semi_3d", 0.025 ** (1 / 12), 1), ("none", 0, 1 - 0.025 ** (1 / 12))]
)
def test_all_or_none_found_has_the_exact_interval(table, detector, low, high):
    row = rows_of(table, "Patients").loc[(detector, SENSITIVITY)]
    assert [row["low"], row["high"]] == pytest.approx([low, high])


def test_chance_is_the_mean_over_patients_and_controls(table):
    chance = found(HITS["real"]).chance
    for dataset, among in (
        ("Held-out controls", CONTROLS),
        ("Patients, away from the lesion", PATIENTS),
    ):
        own = chance[chance["among"] == among]
        rows = rows_of(table, dataset)
        for k in range(1, MOST + 1):
            expected = own[f"within_{k}"].mean()
            assert rows.loc[("chance_real", of_first(k)), "mean"] == pytest.approx(expected)
        assert rows.loc[("chance_real", SENSITIVITY), "mean"] == pytest.approx(
            own["within_3"].mean()
        )


def test_the_area_above_chance_says_so(table):
    rows = rows_of(table, "Patients")
    for detector in HITS:
        chance = rows_of(table, "Held-out controls").loc[(f"chance_{detector}", AREA), "mean"]
        above = rows.loc[(detector, ABOVE)]
        assert above["mean"] == pytest.approx(rows.loc[(detector, AREA), "mean"] - chance)
        assert (above["p_value"] < 0.001) == (detector != "none") == (above["low"] > 0)


def test_detectors_are_compared_with_the_first_over_the_same_patients(table):
    rows = rows_of(table, "Patients")
    first, second = (
        pd.Series([1.0 if isinstance(hit, str) else 0.0 for hit in HITS[name][:12]])
        for name in ("real", "semi_3d")
    )
    assert np.isnan(rows.loc[("real", SENSITIVITY), "p_value"])
    assert rows.loc[("semi_3d", SENSITIVITY), "p_value"] == mcnemar_test(first, second) == 0.25
    assert rows.loc[("semi_3d", SENSITIVITY), "p_holm"] == 0.25  # of .25 and 2 * .0039
    tests = detector_tests({name: found(hits) for name, hits in HITS.items()})
    assert len(tests) == 2 * 3
    row = tests.set_index(["metric", "first", "second"]).loc[(SENSITIVITY, "real", "semi_3d")]
    assert row["difference"] == -0.25 and row["low"] < -0.25 < row["high"] and row["n"] == 12
    assert row["p_value"] == 0.25


def test_the_published_value_stands_beside_the_detectors_own():
    printed = pd.DataFrame(
        {"model": ["real"], "metric": [SENSITIVITY], "mean": [0.53], "sd": [np.nan]}
    )
    rows = detection_table({"real": found(HITS["real"])}, printed)
    assert rows[rows["published_mean"].notna()]["method"].tolist() == ["real"]


def test_too_few_patients_have_no_interval():
    few = found(HITS["real"])
    few = Found(few.patients[2:5], few.controls, few.clusters, few.chance)
    rows = rows_of(detection_table({"real": few}, NOTHING), "Patients").loc["real"]
    assert rows.loc[[SENSITIVITY, AREA, ABOVE], ["low", "high"]].isna().all(axis=None)
    assert rows.loc[SENSITIVITY, "n"] == 3


def test_hits_are_read_as_they_were_written(tmp_path):
    write_tsv(tmp_path / "patients.tsv", found(HITS["semi_3d"]).patients)
    read = read_tsv(tmp_path / "patients.tsv", dtype={"hits": str})
    assert [(one.clusters, one.hits) for one in ranked(read)] == [(4, (1, 2))] * 12


@pytest.mark.parametrize("same", [0.0, 0.3, 1.0])
def test_people_who_are_all_alike_have_an_interval_about_them(same):
    values, weights = np.full(10, same), np.ones((20, 10))
    mean, low, high = share_interval(values, weights, 10)
    assert (mean, low) == pytest.approx((same, same * 0.025**0.1))
    assert high == pytest.approx(1 - (1 - same) * 0.025**0.1)
    mean, low, high = difference_interval(-values, weights, 10)
    assert -1 <= low < high and low <= -same <= high
    mean, low, high = count_interval(7 * values, weights, 10)
    assert low <= 7 * same < high and (low > 0) == (same > 0)
    few = [interval(values[:3], weights[:, :3], 3)[1:] for interval in INTERVALS]
    assert np.isnan(few).all()


def test_no_event_in_n_people_is_garwoods():
    assert count_interval(np.zeros(8), np.ones((5, 8)), 8)[2] == pytest.approx(3.689 / 8, rel=1e-3)


def test_people_and_others_are_both_resampled():
    """All the difference is between controls: patients alone would give no interval."""
    values = np.tile([0.0, 0.1, 0.2, 0.7], (30, 1))
    weights = subject_weights(pd.Series(range(30)).astype(str))
    others = subject_weights(pd.Series(list("abcd")))
    mean, low, high = crossed_interval(values, weights, others, 4)
    assert mean == pytest.approx(0.25) and low < 0.1 and high > 0.4
