from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from mri2pet.errors import InputError
from mri2pet.evaluation import image_tables as tables
from mri2pet.evaluation.image_metrics import WHOLE
from mri2pet.evaluation.statistics import corrected_t_test, holm
from mri2pet.files import read_tsv

PUBLISHED = Path(__file__).parents[2] / "resources/published/gla_gan.tsv"
COLUMNS = [
    "dataset",
    "method",
    "metric",
    "unit",
    "mean",
    "sd",
    "n",
    "p_value",
    "published_mean",
    "published_sd",
    "low",
    "high",
    "p_holm",
    "p_folds",
]


def image_values(seed=0):
    """Two visits of subject s0, one of the others; GLA-GAN is best in MAE, Mean PET better yet."""
    rng = np.random.default_rng(seed)
    rows = []
    for method, error in {"mean_pet": 0.01, "unet": 0.04, "gla_gan": 0.02}.items():
        for number in range(6):
            for visit in ["bl", "m12"][: 2 if number == 0 else 1]:
                common = {"method": method, "subject": f"s{number}", "visit": visit}
                common |= {"group": "AD", "fold": number % 3}
                mae = error + rng.uniform(0, 0.005)
                for metric, unit, value in (
                    ("SSIM", "percent", 100 - 100 * mae),
                    ("PSNR", "dB", -20 * np.log10(mae)),
                    ("MAE", "intensity in 0..1", mae),
                ):
                    for name in (metric, metric + WHOLE):
                        rows.append(common | {"metric": name, "unit": unit, "value": value})
    return pd.DataFrame(rows)


def image_table(values):
    return tables.image_table(
        values, ["gla_gan", "unet"], tables.read_published(PUBLISHED, "I")
    ).set_index(["method", "metric"], drop=False)


def test_table1_has_the_contract_s_form_and_the_published_values():
    table = image_table(image_values())
    assert list(table.columns) == COLUMNS
    assert list(dict.fromkeys(table["method"])) == ["gla_gan", "unet", "mean_pet"]
    assert set(table["dataset"]) == {"Paired"}
    assert set(table["n"]) == {6}
    assert table.loc[("gla_gan", "SSIM"), "published_mean"] == 96.88
    assert table.loc[("unet", "MAE"), "published_sd"] == 0.2383
    assert np.isnan(table.loc[("mean_pet", "MAE"), "published_mean"])


def test_table1_averages_visits_within_folds_then_folds():
    values = image_values()
    mae = values[(values["method"] == "unet") & (values["metric"] == "MAE")]
    folds = [mae.loc[mae["fold"] == fold, "value"].mean() for fold in range(3)]
    row = image_table(values).loc[("unet", "MAE")]
    assert row["mean"] == pytest.approx(np.mean(folds))
    assert row["sd"] == pytest.approx(np.std(folds, ddof=1))


def test_table1_tests_subjects_against_the_best_model_never_a_reference():
    values = image_values()
    wide = values[values["metric"] == "MAE"].pivot_table(
        index="subject", columns="method", values="value", aggfunc="mean"
    )
    table = image_table(values)
    for method in ("unet", "mean_pet"):
        expected = ttest_rel(wide[method], wide["gla_gan"]).pvalue
        assert table.loc[(method, "MAE"), "p_value"] == pytest.approx(expected)
    assert np.isnan(table.loc[("gla_gan", "MAE"), "p_value"])
    others = table.loc[[("unet", "MAE"), ("mean_pet", "MAE")]]
    assert others["p_holm"].to_list() == pytest.approx(holm(others["p_value"].to_list()))
    assert (others["p_holm"] >= others["p_value"]).all() and (others["p_folds"] < 1).all()


def test_table1_has_intervals_over_subjects_and_every_metric_in_both_scopes():
    table = image_table(image_values())
    assert (table["low"] < table["mean"]).all() and (table["mean"] < table["high"]).all()
    inside = table[~table["metric"].str.endswith(WHOLE)]
    assert set(table["metric"]) == {*inside["metric"], *(inside["metric"] + WHOLE)}
    assert table.loc[("unet", "MAE" + WHOLE), "published_mean"] == 0.015


def test_a_metric_in_another_unit_is_refused():
    with pytest.raises(InputError, match="SSIM is in percent"):
        image_table(image_values().replace({"unit": {"percent": "fraction"}}))


def test_a_method_that_nobody_knows_is_refused():
    with pytest.raises(InputError, match="stranger"):
        image_table(image_values().replace({"method": {"mean_pet": "stranger"}}))


def predictions():
    rows = []
    for method, flip in {"gla_gan": set(), "real_pet": set(), "unet": {0, 5}}.items():
        for number in range(12):
            positive = number % 2 == 0
            called = positive != (number in flip)
            rows.append(
                {
                    "method": method,
                    "subject": f"s{number}",
                    "fold": number // 4,
                    "truth": "AD" if positive else "CN",
                    "score": 1.0 if called else -1.0,
                    "predicted": "AD" if called else "CN",
                }
            )
    return pd.DataFrame(rows)


def diagnosis_table(given, number="II", dataset="Paired"):
    published = tables.read_published(PUBLISHED, number)
    return tables.diagnosis_table(given, dataset, "AD", ["gla_gan", "unet"], published).set_index(
        ["method", "metric"], drop=False
    )


def test_table2_by_hand():
    table = diagnosis_table(predictions())
    assert list(table.columns) == COLUMNS
    assert len(table) == 3 * 6
    row = table.loc[("unet", "accuracy")]
    assert row["mean"] == pytest.approx((0.75 + 0.75 + 1) / 3)
    assert row["p_value"] == pytest.approx(2 * 0.5**2)  # two people, both called wrongly
    assert row["p_holm"] == pytest.approx(1)  # of two that are compared with the best
    assert row["p_folds"] == pytest.approx(
        corrected_t_test(pd.Series([0.75, 0.75, 1]), pd.Series([1.0, 1, 1]), 4 / 8)
    )
    assert row["low"] < row["mean"] < row["high"] == 1
    assert row["published_mean"] == 0.8325
    assert row["n"] == 12
    assert table.loc[("unet", "sensitivity"), "mean"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert table.loc[("unet", "specificity"), "mean"] == pytest.approx((1 + 0.5 + 1) / 3)


def test_table3_takes_the_complete_dataset_s_values():
    table = diagnosis_table(predictions(), "III", "Complete")
    assert table.loc[("gla_gan", "AUC"), "published_mean"] == 0.9299


def test_a_fold_that_could_not_be_predicted_or_has_one_class_is_left_out_not_fatal():
    given = predictions()
    given.loc[given["fold"] == 0, ["score", "predicted"]] = np.nan, None
    given = given[(given["fold"] != 1) | (given["truth"] == "CN")]
    table = diagnosis_table(given)
    assert table.loc[("gla_gan", "accuracy"), "mean"] == 1
    assert table.loc[("gla_gan", "sensitivity"), "mean"] == 1
    assert np.isnan(table.loc[("gla_gan", "AUC"), "sd"])  # one fold alone has both classes


def test_pool_takes_the_method_from_the_folder(tmp_path):
    path = tmp_path / "unet/fold-0.tsv"
    path.parent.mkdir()
    path.write_text("subject\tvisit\tvalue\n0123\tbl\t1.5\n")
    pooled = tables.pool([path])
    assert pooled.to_dict("records") == [
        {"subject": "0123", "visit": "bl", "value": 1.5, "method": "unet"}
    ]


def test_transcription_is_whole():
    published = read_tsv(PUBLISHED)
    sizes = {"I": 12, "II": 24, "III": 30, "11": 6}
    assert published.groupby("table").size().to_dict() == sizes
    assert published["model"].notna().all()
    assert not published.duplicated(["table", "dataset", "model", "metric"]).any()
