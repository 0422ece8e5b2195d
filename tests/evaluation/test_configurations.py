"""Table 1 of the anomaly paper from made-up metrics."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from mri2pet.errors import InputError
from mri2pet.evaluation.configurations import TEST_COLUMNS, configuration_table, pair_tests
from mri2pet.evaluation.image_metrics import WHOLE
from mri2pet.evaluation.image_tables import COLUMNS, read_published
from mri2pet.evaluation.statistics import holm, smallest_wilcoxon_p, wilcoxon_test

MODELS = {
    "semi3d_cycle_gan_mse": "semi-3D",
    "semi3d_simple_gan": "semi-3D",
    "patch_cycle_gan_mse": "3D-patch",
}
UNITS = {"SSIM": "percent", "PSNR": "dB", "LPIPS": "distance"}
WHOLE_UNITS = {name + WHOLE: UNITS[name] for name in ("SSIM", "PSNR")}
PEOPLE = [f"EPI{n:03d}" for n in range(9)]


@pytest.fixture
def published(root):
    return read_published(root / "resources/published/gan_anomaly.tsv", "1")


@pytest.fixture
def values():
    """Nine people in two folds; the first model is better in everything."""
    rng, rows = np.random.default_rng(0), []
    for place, method in enumerate([*MODELS, "mean_pet"]):
        for number, subject in enumerate(PEOPLE):
            for metric, best, worse in (("SSIM", 90, -3), ("PSNR", 24, -1), ("LPIPS", 0.02, 0.01)):
                value = best + worse * place + 0.1 * abs(worse) * rng.normal()
                where = {"subject": subject, "visit": "bl", "group": "control"}
                fold = {"fold": number % 2, "method": method}
                for name in {metric, metric + WHOLE} & {*UNITS, *WHOLE_UNITS}:
                    rows.append(where | fold | {"metric": name, "value": value})
                    rows[-1]["unit"] = UNITS[metric]
    return pd.DataFrame(rows)


def of(values, method, metric):
    chosen = values[(values["method"] == method) & (values["metric"] == metric)]
    return chosen.set_index("subject")["value"]


def test_mean_and_sd_are_over_people_beside_the_published(values, published):
    table = configuration_table(values, MODELS, published)
    assert list(table.columns) == list(COLUMNS)
    cells = table.set_index(["method", "metric"])
    ssim = of(values, "semi3d_simple_gan", "SSIM") / 100  # the paper prints a fraction
    cell = cells.loc[("semi3d_simple_gan", "SSIM")]
    assert cell["unit"] == "fraction"
    assert cell["mean"] == pytest.approx(ssim.mean())
    assert cell["sd"] == pytest.approx(ssim.std(ddof=1))
    assert cell["n"] == len(PEOPLE)
    assert (cell["published_mean"], cell["published_sd"]) == (0.818, 0.021)
    assert cells.loc[("patch_cycle_gan_mse", "LPIPS"), "published_mean"] == 0.026
    assert cells.loc[("mean_pet", "SSIM"), ["published_mean"]].isna().all()


def test_rows_are_models_by_configuration_and_the_reference_last(values, published):
    table = configuration_table(values, MODELS, published)
    first = table[table["metric"] == "SSIM"]
    assert first["method"].tolist() == [*MODELS, "mean_pet"]
    assert first["dataset"].tolist() == [*MODELS.values(), "reference"]


@pytest.mark.parametrize("metric", UNITS)
def test_p_is_of_wilcoxons_test_against_the_best(values, published, metric):
    cells = configuration_table(values, MODELS, published).set_index(["metric", "method"])[
        "p_value"
    ]
    assert np.isnan(cells[metric, "semi3d_cycle_gan_mse"])
    for method in ("semi3d_simple_gan", "patch_cycle_gan_mse", "mean_pet"):
        pair = (of(values, name, metric) for name in (method, "semi3d_cycle_gan_mse"))
        assert cells[metric, method] == pytest.approx(wilcoxon(*pair).pvalue)
    assert cells[metric, "mean_pet"] == pytest.approx(2 ** (1 - len(PEOPLE)))


def test_what_was_not_computed_says_so_and_keeps_its_published_column(values, published):
    missing = values["metric"] == "LPIPS"
    values.loc[missing, "value"] = np.nan
    values.loc[missing, "unit"] = "not computed: weights not found at x.npz"
    cells = configuration_table(values, MODELS, published).set_index(["metric", "method"])
    lpips = cells.loc["LPIPS"]
    assert set(lpips["unit"]) == {"not computed: weights not found at x.npz"}
    assert lpips[["mean", "sd", "p_value"]].isna().all(axis=None)
    assert lpips.loc["patch_cycle_gan_mse", "published_mean"] == 0.026
    tests = pair_tests(values, list(MODELS), published).query("metric == 'LPIPS'")
    assert tests[["p_value", "smallest_p"]].isna().all(axis=None)


def test_visits_of_a_person_count_once(values, published):
    again = values[values["subject"] == PEOPLE[0]].assign(visit="m12")
    both = configuration_table(pd.concat([values, again]), MODELS, published)
    pd.testing.assert_frame_equal(both, configuration_table(values, MODELS, published))


def test_every_two_models_are_compared(values, published):
    tests = pair_tests(values, list(MODELS), published)
    assert list(tests.columns) == list(TEST_COLUMNS)
    assert len(tests) == 3 * (len(UNITS) + len(WHOLE_UNITS))
    row = tests[(tests["metric"] == "PSNR") & (tests["second"] == "patch_cycle_gan_mse")].iloc[0]
    first, second = (of(values, row[name], "PSNR") for name in ("first", "second"))
    assert row["first"] == "semi3d_cycle_gan_mse"
    assert row["median_difference"] == pytest.approx((first - second).median())
    assert row["p_value"] == pytest.approx(wilcoxon(first, second).pvalue)
    assert row["n"] == len(PEOPLE)
    family = tests[tests["metric"] == "PSNR"]
    assert family["p_holm"].to_list() == pytest.approx(holm(family["p_value"].to_list()))


@pytest.mark.parametrize("metric", [*UNITS, *WHOLE_UNITS])
def test_differences_are_in_the_unit_of_the_table_above(values, published, metric):
    """SSIM is measured in percent and printed as a fraction; the others are printed as measured."""
    table = configuration_table(values, MODELS, published)
    tests = pair_tests(values, list(MODELS), published)
    own = tests[tests["metric"] == metric]
    above = table[table["metric"] == metric]
    assert set(own["unit"]) == set(above["unit"])
    means = above.set_index("method")["mean"]
    for row in own.itertuples():
        difference = means[row.first] - means[row.second]
        assert row.median_difference == pytest.approx(difference, rel=0.2)


@pytest.mark.parametrize(
    "differences, expected",
    [
        (range(1, 10), 2.0**-8),  # no ties
        ([1, 1, 2, 2, 3, -3], 2.0**-5),  # ties: all signs of six are gone through
        ([0, 0, 1, 2, -3], 2.0**-2),  # those that do not differ are no pairs
        ([1] * 14, 0.000183),  # ties of more than 13: normal distribution, not 2^-13
        (range(1, 53), 3.5e-10),  # more than 50: likewise, and not 2^-51
    ],
)
def test_the_smallest_p_is_that_of_scipy(differences, expected):
    second = pd.Series(0.0, index=range(len(differences)))
    first = pd.Series(list(differences), index=second.index, dtype=float)
    found = smallest_wilcoxon_p(first, second)
    assert found == pytest.approx(expected, rel=0.02)
    assert wilcoxon_test(first.abs(), second) == found <= wilcoxon_test(first, second)


def test_a_metric_of_two_units_is_refused(values, published):
    values.loc[values["method"] == "mean_pet", "unit"] = "percent"
    with pytest.raises(InputError, match="PSNR: expected one unit"):
        configuration_table(values, MODELS, published)


def test_wilcoxon_needs_pairs_that_differ():
    first = pd.Series([1.0, 2.0, 3.0, np.nan, 5.0], index=list("abcde"))
    assert np.isnan(wilcoxon_test(first, first))
    # pairs by index; d is missing, b does not differ: two pairs are left
    second = pd.Series([2.0, 3.5, 2.0, 4.0], index=list("acbd"))
    assert wilcoxon_test(first, second) == pytest.approx(0.5)
