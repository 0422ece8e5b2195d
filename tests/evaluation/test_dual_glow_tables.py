"""Tables 1 and 2 of DUAL-GLOW, and the rates of the second."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from mri2pet.errors import InputError
from mri2pet.evaluation import image_tables as tables
from mri2pet.evaluation.classification import error_rates
from mri2pet.evaluation.image_metrics import WHOLE, correlation
from mri2pet.evaluation.resampling import bootstrap_test, subject_weights
from mri2pet.files import read_tsv

PUBLISHED = Path(__file__).parents[2] / "resources/published/dual_glow.tsv"
PRINTED = ("CorCoef", "PSNR", "SSIM", "MAE")
SHOWN = (*PRINTED, *(name + WHOLE for name in PRINTED))


def test_correlation_is_numpys_inside_the_mask():
    rng = np.random.default_rng(0)
    real, synthetic = rng.random((2, 6, 6, 6))
    mask = rng.random((6, 6, 6)) > 0.5
    expected = np.corrcoef(real[mask], synthetic[mask])[0, 1]
    assert correlation(real, synthetic, mask) == pytest.approx(expected)
    assert correlation(real, np.where(mask, 2 * real + 1, 9), mask) == pytest.approx(1)
    assert np.isnan(correlation(real, np.ones_like(real), mask))


def values():
    """Five people in two folds; the flow is nearest, Mean PET nearer yet."""
    rng = np.random.default_rng(1)
    rows = []
    for method, error in {"mean_pet": 0.01, "cgan": 0.05, "dual_glow": 0.02}.items():
        for person in range(5):
            mae = error + rng.uniform(0, 0.01)
            measured = {
                "SSIM": ("percent", 100 * (1 - mae)),
                "PSNR": ("dB", -20 * np.log10(mae)),
                "MAE": ("intensity in 0..1", mae),
                "CorCoef": ("fraction", 1 - mae),
            }
            for metric, (unit, value) in measured.items():
                for name in (metric, metric + WHOLE):
                    rows.append((method, f"s{person}", "CN", person % 2, name, unit, value))
    return pd.DataFrame(
        rows, columns=["method", "subject", "group", "fold", "metric", "unit", "value"]
    )


def table_1(given):
    published = tables.read_published(PUBLISHED, "1")
    table = tables.image_table(given, ["dual_glow", "cgan"], published, system="dual_glow")
    return table.set_index(["method", "metric"], drop=False)


def test_table_1_has_the_papers_metrics_units_and_values():
    given = values()
    table = table_1(given)
    assert tuple(dict.fromkeys(table["metric"])) == SHOWN
    row = table.loc[("dual_glow", "SSIM")]
    assert (row["unit"], row["published_mean"], row["published_sd"]) == ("fraction", 0.898, 0.06)
    own = given[(given["method"] == "dual_glow") & (given["metric"] == "SSIM")]
    folds = own.groupby("fold")["value"].mean() / 100
    assert (row["mean"], row["sd"]) == pytest.approx((folds.mean(), folds.std(ddof=1)))
    wide = given[given["metric"] == "CorCoef"].pivot(
        index="subject", columns="method", values="value"
    )
    expected = ttest_rel(wide["cgan"], wide["dual_glow"]).pvalue
    assert table.loc[("cgan", "CorCoef"), "p_value"] == pytest.approx(expected)
    assert table.loc[("cgan", "CorCoef"), "published_mean"] == 0.956
    assert table.loc[("dual_glow", "MAE"), "unit"] == "intensity in 0..1"


def test_a_published_unit_that_nothing_leads_to_is_refused():
    published = tables.read_published(PUBLISHED, "1").replace({"unit": {"dB": "bel"}})
    with pytest.raises(InputError, match="PSNR is in dB, the published table has bel"):
        tables.image_table(values(), ["dual_glow", "cgan"], published, system="dual_glow")


def test_table_of_gla_gan_keeps_its_three_metrics():
    published = tables.read_published(PUBLISHED.with_name("gla_gan.tsv"), "I")
    table = tables.image_table(values(), ["dual_glow", "cgan"], published)
    assert list(dict.fromkeys(table["metric"]))[:3] == ["SSIM", "PSNR", "MAE"]
    assert not table["metric"].str.contains("CorCoef").any()
    assert set(table.loc[table["metric"] == "SSIM", "unit"]) == {"percent"}


def test_rates_by_hand():
    """Of four positive visits one is missed, of two negative ones one is called positive."""
    truth = [True, True, True, True, False, False]
    predicted = [True, True, True, False, True, False]
    assert error_rates(truth, predicted) == pytest.approx(
        {
            "accuracy": 4 / 6,
            "false negative rate": 1 / 4,
            "false positive rate": 1 / 2,
            "false negatives of all": 1 / 6,
            "false positives of all": 1 / 6,
        }
    )


def test_rates_that_a_fold_cannot_tell_are_missing_not_zero():
    found = error_rates([True, True], [True, False])
    assert (found["false negative rate"], found["false negatives of all"]) == (0.5, 0.5)
    assert np.isnan(found["false positive rate"])
    assert all(np.isnan(value) for value in error_rates([], []).values())


def test_table_2_by_hand_and_less_error_is_better():
    rows = []
    for method, missed in {"real_pet": 0, "dual_glow": 1, "cgan": 2}.items():
        for fold in range(2):
            for person in range(6):
                positive = person < 4
                called = positive and person >= (missed if fold else 0)
                words = ["positive" if it else "negative" for it in (positive, called)]
                rows.append((method, f"{fold}{person}", fold, *words, float(called)))
    columns = ["method", "subject", "fold", "truth", "predicted", "score"]
    given = pd.DataFrame(rows, columns=columns)
    published = tables.read_published(PUBLISHED, "2")
    table = tables.error_table(given, ["cgan", "dual_glow"], published)
    table = table.set_index(["method", "metric"])
    row = table.loc[("cgan", "false negative rate")]
    assert row["mean"] == pytest.approx((0 + 2 / 4) / 2)
    assert np.isnan(table.loc[("dual_glow", "false negative rate"), "p_value"])  # it is the best
    own, best = (people_of(given, method) for method in ("cgan", "dual_glow"))
    assert row["p_value"] == pytest.approx(bootstrap_test(own, best, 4))
    assert row["low"] <= row["mean"] <= row["high"]
    assert table.loc[("cgan", "false positive rate"), "mean"] == 0
    assert table.loc[("real_pet", "accuracy"), "published_mean"] == 0.94
    assert table.loc[("dual_glow", "false positive rate"), "published_mean"] == 0.03


def compressed(shift):
    """Predictions of real PET, and of PET whose scores are a tenth of its, about `shift`."""
    truth = np.array(["positive", "negative"] * 6)
    real = np.where(truth == "positive", 1.0, -1.0) + np.linspace(-0.5, 0.5, 12)
    parts = []
    for method, score in {"real_pet": real, "dual_glow": 0.1 * real + shift}.items():
        called = np.where(score > 0, "positive", "negative")
        own = {"truth": truth, "score": score, "predicted": called, "fold": np.repeat([0, 1], 6)}
        parts.append(pd.DataFrame(own).assign(method=method, subject=[f"s{i}" for i in range(12)]))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("shift", [0.0, 0.5, -0.5])
def test_the_auc_of_table_2_does_not_depend_on_the_threshold(shift):
    """Scores that are compressed and moved beyond the threshold keep their order."""
    published = tables.read_published(PUBLISHED, "2")
    table = tables.error_table(compressed(shift), ["dual_glow"], published)
    table = table.set_index(["method", "metric"])
    assert table.loc[("dual_glow", "AUC"), "mean"] == 1
    assert table.loc[("dual_glow", "accuracy"), "mean"] == (0.5 if shift else 1)
    assert table.loc[("dual_glow", "AUC"), "unit"] == "fraction"


def test_the_auc_of_table_2_has_pairs_within_folds_and_an_interval():
    given = compressed(0.0)
    rng = np.random.default_rng(3)
    given["score"] += rng.normal(0, 0.8, len(given))
    # a shift of all scores of one fold moves pairs across folds alone
    moved = given.assign(score=given["score"] + 100.0 * given["fold"])
    published = tables.read_published(PUBLISHED, "2")
    found, same = (
        tables.error_table(each, ["dual_glow"], published).set_index(["method", "metric"])
        for each in (given, moved)
    )
    own = given[given["method"] == "dual_glow"]
    ordered = pairs = 0
    for _, fold in own.groupby("fold"):
        scores = [fold.loc[fold["truth"] == word, "score"] for word in ("positive", "negative")]
        ordered += sum(high > low for high in scores[0] for low in scores[1])
        pairs += len(scores[0]) * len(scores[1])
    row = found.loc[("dual_glow", "AUC")]
    assert row["mean"] == pytest.approx(ordered / pairs)
    assert same.loc[("dual_glow", "AUC"), "mean"] == pytest.approx(row["mean"])
    assert row["low"] < row["mean"] < row["high"]
    assert np.isnan(row["published_mean"])


def people_of(given, method):
    """Resamples of a method's false negative rate, the mean of two folds, written out."""
    own = given[given["method"] == method].reset_index(drop=True)
    weights = subject_weights(own["subject"], own["truth"])
    rates = []
    for fold in (0, 1):
        positive = ((own["fold"] == fold) & (own["truth"] == "positive")).to_numpy()
        missed = positive & (own["predicted"] == "negative").to_numpy()
        total = weights[:, positive].sum(axis=1)
        with np.errstate(invalid="ignore"):
            rates.append(weights[:, missed].sum(axis=1) / total)
    return np.nanmean(rates, axis=0)


def test_what_the_paper_prints_as_rates_are_shares_of_all_tests():
    published = tables.read_published(PUBLISHED, "2").pivot(
        index="model", columns="metric", values="mean"
    )
    rates = published[["accuracy", "false negative rate", "false positive rate"]].sum(axis=1)
    shares = published[["accuracy", "false negatives of all", "false positives of all"]].sum(axis=1)
    assert (rates.round(9) == 1).all()
    assert (shares.round(9) == 1).all()


def test_dual_glow_s_transcription_is_whole():
    published = read_tsv(PUBLISHED, dtype={"table": str})
    assert published.groupby("table").size().to_dict() == {"1": 15, "2": 10}
    assert not published.duplicated(["table", "model", "metric"]).any()
