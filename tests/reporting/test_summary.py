"""Words of the report's first screen, on tables made for each verdict."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.anomaly.detection_tables import AREA, CONTROLS, PATIENTS, SENSITIVITY
from mri2pet.evaluation import gap
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.evaluation.paired_differences import paired_differences
from mri2pet.reporting.summary import copied, coverage, detection, diagnosis, images, study
from mri2pet.reporting.summary.parts import BETTER, UNTOLD, WORSE, between, sentence, verdict

LABELS = {"one": "One", "two": "Two", "three": "Three", "local_regression": "Local regression"}
NAN = np.nan


def differences(**given):
    """A table of differences: `one_mean_pet=(low, high)` and so on."""
    rows = []
    for name, (low, high) in given.items():
        against = "mean_pet" if name.endswith("mean_pet") else "local_regression"
        method = name.removesuffix(f"_{against}")
        mean = (low + high) / 2
        rows.append((method, against, "MAE", "intensity in 0..1", mean, low, high, 12))
    names = ("method", "against", "metric", "unit", "mean", "low", "high", "n")
    return pd.DataFrame(rows, columns=list(names))


def long(rows):
    """Rows of (dataset, method, metric, mean, low, high, p_holm, n)."""
    made = pd.DataFrame(index=range(len(rows)), columns=list(COLUMNS))
    made[["dataset", "method", "metric", "mean", "low", "high", "p_holm", "n"]] = rows
    return made.astype({name: float for name in ("mean", "low", "high", "p_holm")})


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.2, -0.1, BETTER), (0.1, 0.2, WORSE), (-0.1, 0.1, UNTOLD), (0, 0.1, UNTOLD),
        (NAN, NAN, UNTOLD), (-0.1, NAN, UNTOLD),
    ],
)  # fmt: skip
def test_an_interval_becomes_a_word(low, high, word):
    assert verdict(low, high) == word
    other = {BETTER: WORSE, WORSE: BETTER, UNTOLD: UNTOLD}
    assert verdict(low, high, less_is_better=False) == other[word]


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        ((-2, -1), (-2, -1), "every network is better than the local regression"),
        ((-2, -1), (-1, 1), "One is better than the local regression"),
        ((1, 2), (1, 2), "no network is better than the local regression"),
        ((1, 2), (-1, 1), "no network is shown to be better than the local regression"),
        (
            (-1, 1),
            (-1, 1),
            "whether any network is better than the local regression cannot be told",
        ),
        ((NAN, NAN), (NAN, NAN), "whether any network is better than the local regression cannot"),
    ],
)
def test_networks_against_the_local_regression(one, two, said):
    table = differences(one_local_regression=one, two_local_regression=two)
    assert images.finding(table, pd.DataFrame(), LABELS).clause.startswith(said)


def test_networks_against_both_yardsticks_and_shares_of_the_gap():
    table = differences(
        one_mean_pet=(-2, -1),
        two_mean_pet=(-3, -1),
        three_mean_pet=(-1, 1),
        local_regression_mean_pet=(-4, -3),
        one_local_regression=(1, 2),
        two_local_regression=(1, 2),
        three_local_regression=(2, 3),
    )
    shares = {"one": 40.0, "two": 55.4, "three": -3.0, "local_regression": 70.0}
    rows = [("Paired", m, gap.METRIC, v, v - 5, v + 5, NAN, 12) for m, v in shares.items()]
    found = images.finding(table, long(rows), LABELS)
    assert found.clause == (
        "no network is better than the local regression; One and Two are better than Mean PET; "
        "of the gap from Mean PET to the oracle networks close -3% to 55%, the local regression 70%"
    )
    assert found.details == ["Images: 12 people, so only large differences can be seen."]
    plot = found.plots[0]
    assert [dot.label for dot in plot.dots] == ["Local regression", "Two", "One", "Three"]
    assert [list(dot.words) for dot in plot.dots] == [
        ["", BETTER], [WORSE, BETTER], [WORSE, BETTER], [WORSE, UNTOLD],
    ]  # fmt: skip
    assert plot.place(0.0) < plot.place(40.0) < plot.place(100.0)
    assert "Two 55% (50 to 60)" in plot.described()


def test_of_real_people_differences_are_drawn_since_there_is_no_oracle():
    table = differences(one_mean_pet=(-0.02, -0.01), two_mean_pet=(0.01, 0.02))
    found = images.finding(table, pd.DataFrame(), LABELS)
    assert found.clause == "One is better than Mean PET"
    plot = found.plots[0]
    assert plot.marks == {0.0: "Mean PET"}
    assert [dot.value for dot in plot.dots] == ["-15.0 (-20.0 to -10.0)", "15.0 (10.0 to 20.0)"]
    assert plot.place(0) == 50


def test_what_is_far_worse_than_the_mean_stands_at_the_edge():
    table = differences(one_mean_pet=(1, 2))
    rows = [("Paired", "one", gap.METRIC, -1300.0, -1500.0, -1100.0, NAN, 8)]
    found = images.finding(table, long(rows), LABELS)
    assert found.clause.endswith("networks close nothing")
    plot = found.plots[0]
    assert plot.beyond(-1300.0)
    assert plot.place(-1300.0) == 0
    assert plot.dots[0].value == "-1300% (-1500 to -1100)"


@pytest.mark.parametrize(
    ("model", "controls", "word"),
    [
        (0.9, [(0.7, 0.01), (0.6, 0.04)], BETTER),
        (0.9, [(0.7, 0.01), (0.8, 0.2)], UNTOLD),
        (0.9, [(0.7, 1.0), (0.8, NAN)], UNTOLD),
        (0.6, [(0.9, 0.01), (0.5, 0.5)], WORSE),
        (0.6, [(0.9, 0.3), (0.9, 0.3)], UNTOLD),
    ],
)
def test_the_diagnosis_gains_loses_or_cannot_be_told(model, controls, word):
    names = ("only_mri", "mri_age_sex")
    rows = [("Paired", "one", "AUC", model, NAN, NAN, NAN, 30)]
    rows += [
        ("Paired", name, "AUC", mean, NAN, NAN, p, 30)
        for name, (mean, p) in zip(names, controls, strict=True)
    ]
    rows.append(("Paired", "real_pet", "AUC", 0.95, NAN, NAN, 0.5, 30))
    found = diagnosis.finding(long(rows), LABELS)
    assert found.clause.startswith(diagnosis.CLAUSES[word])
    assert f"at most {model:.2f} (One), MRI alone {controls[0][0]:.2f}" in found.details[0]
    assert "best" not in found.clause + found.details[0]


def test_a_diagnosis_without_controls_tells_nothing():
    rows = long([("Paired", "one", "AUC", 0.9, NAN, NAN, NAN, 30)])
    assert diagnosis.verdict_of(rows) == UNTOLD
    assert diagnosis.finding(rows.assign(metric="recall"), LABELS) is None


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (93, 96, "the 95% intervals of One hold about 95%"),
        (80, 90, "the 95% intervals of One hold less than 95%"),
        (97, 99, "the 95% intervals of One hold more than 95%"),
        (NAN, NAN, "the 95% intervals of One were seen on too few people to tell"),
    ],
)
def test_coverage_against_what_is_named(low, high, text):
    rows = [
        ("Paired", "one", "coverage at 95", 94.0, low, high, NAN, 12),
        ("Paired", "voxel_t", "coverage at 95", 95.0, 90, 99, NAN, 12),
        ("Paired", "one", "coverage at 50", 50.0, 40, 60, NAN, 12),
    ]
    found = coverage.finding(long(rows), LABELS)
    assert found.clause == text
    assert [dot.label for dot in found.plots[0].dots] == ["One", "Voxelwise Student's t"]


@pytest.mark.parametrize(
    ("area", "chance", "text"),
    [
        ((0.6, 0.9), (0.1, 0.3), "above chance in space: One"),
        ((0.2, 0.9), (0.1, 0.3), "no detector can be told to be above chance in space"),
        ((0.0, 0.1), (0.2, 0.3), "every detector is below chance in space"),
        ((NAN, NAN), (0.2, 0.3), "no detector can be told to be above chance in space"),
    ],
)
def test_detectors_against_chance(area, chance, text):
    rows = [
        (PATIENTS, "one", SENSITIVITY, 0.5, *area, NAN, 40),
        (PATIENTS, "one", AREA, 0.5, *area, NAN, 40),
        (CONTROLS, "chance_one", AREA, 0.2, *chance, NAN, 40),
    ]
    found = detection.finding(long(rows), LABELS)
    assert found.clause == text
    assert found.details == []  # forty patients are enough
    assert found.plots[0].dots[0].chance == (0.2, *chance)


@pytest.mark.parametrize(
    ("mean", "p", "n", "word"),
    [
        (0.3, 0.01, 20, BETTER), (0.05, 0.01, 20, WORSE), (0.3, 0.2, 20, UNTOLD),
        (0.3, 0.01, 2, UNTOLD), (0.3, NAN, 20, UNTOLD),
    ],
)  # fmt: skip
def test_synthesised_contrasts_against_the_copied_source(mean, p, n, word):
    rows = [
        ("T2-PD validation", "one", "MAE", 0.9, NAN, NAN, NAN, n),
        ("T2-PD test", "one", "MAE", 0.1, 0.05, 0.15, NAN, n),
        ("T2-PD test", "copy", "MAE", mean, 0.2, 0.4, p, n),
    ]
    found = copied.finding(long(rows), LABELS)
    assert found.clause == "T2 to PD: " + copied.TEXT[word].format(label="One")
    assert found.details == (["2 people to test on: too few for an interval."] if n == 2 else [])


def test_paired_differences_are_of_the_same_people():
    rng = np.random.default_rng(0)
    base = rng.uniform(0.02, 0.2, 12)  # people differ by far more than methods
    made = []
    for method, by in (("mean_pet", 0.0), ("one", -0.005), ("two", 0.005)):
        noise = rng.normal(0, 0.001, 12)
        for person in range(12):
            value = base[person] + by + noise[person]
            made.append((method, f"P{person}", "CN", person % 3, "MAE", "u", value))
    names = ("method", "subject", "group", "fold", "metric", "unit", "value")
    table = paired_differences(pd.DataFrame(made, columns=list(names))).set_index("method")
    assert verdict(*table.loc["one", ["low", "high"]]) == BETTER
    assert verdict(*table.loc["two", ["low", "high"]]) == WORSE
    assert table["mean"].to_list() == pytest.approx([-0.005, 0.005], abs=0.001)
    assert set(table["against"]) == {"mean_pet"}
    few = pd.DataFrame(made, columns=list(names))
    few = few[few["subject"].isin(["P0", "P1", "P2"])]
    assert paired_differences(few)[["low", "high"]].isna().all(axis=None)


def test_whom_tells_simulated_from_real_and_one_from_many():
    cohort = pd.DataFrame(
        [("A", "CN", "paired", "adni"), ("A", "CN", "mri_only", "adni"),
         ("B", "AD", "paired", "adni"), ("C", "HC", "mri_only", "ixi")],
        columns=["subject", "group", "kind", "study"],
    )  # fmt: skip
    assert study.whom(cohort, {"adni": True, "ixi": False}) == [
        "adni: 2 simulated people (1 CN, 1 AD), 3 visits, 2 with PET.",
        "ixi: 1 real person (1 HC), 1 visit.",
    ]
    assert study.whom(pd.DataFrame(), {"adni": True}) == []


def measured(*values):
    rows = [("A", "bl", "MRI", "s", "detail", value, 0.2, NAN) for value in values]
    names = ("subject", "visit", "modality", "space", "measure", "value", "lowest", "highest")
    made = pd.DataFrame(rows, columns=list(names))
    return made.assign(subject=[f"P{number}" for number in range(len(made))])


def test_soundness_counts_what_was_left_out_failed_and_judged():
    none = pd.DataFrame()
    whole = study.sound(none, none, measured(0.3, 0.5, 0.9), [], none)
    assert whole == [
        "All results that the configuration asks for were made; no job failed.",
        "No scan was left out.",
        "Quality control judged 3 scans by their numbers: all within their limits.",
        "Nearest to a limit: P0 bl, MRI detail 0.3 (at least 0.2).",
    ]
    excluded = pd.DataFrame({"subject": ["A", "A"], "reason": ["x", "y"]})
    failed = pd.DataFrame({"Kind": ["failed", "excluded"]})
    parts = study.sound(none, excluded, measured(0.1, 0.5), ["a", "b"], failed)
    assert parts[0] == "This report is not whole: 2 of its files are missing."
    assert parts[1] == "1 failed job at the end of the last run."
    assert parts[2] == "2 scans were left out, of 1 person."
    assert "1 beyond a limit" in parts[3]


def test_numbers_and_sentences():
    assert between(1.234, 1.0, 2.0, 2) == "1.23 (1.00 to 2.00)"
    assert between(1.234, NAN, NAN, 1) == "1.2"
    assert between(NAN, NAN, NAN, 1) == "n/a"
    assert sentence(["a b", "", "c"]) == "A b; c."
    assert sentence([]) == ""
