"""Printed p values and remarks: they stand in the transcription and reach the tables."""

import pandas as pd
import pytest

from mri2pet.evaluation.image_tables import read_published
from mri2pet.evaluation.printed import with_printed
from mri2pet.files import read_tsv

AD = {"II": 161 / 402, "III": (161 + 79) / (402 + 83 + 79)}  # share of AD in Paired and Complete
FAR = 0.01  # beyond what rounding and shares of folds explain


@pytest.fixture
def printed(root):
    return read_tsv(root / "resources/published/gla_gan.tsv", dtype={"table": str})


@pytest.mark.parametrize("number", ["II", "III"])
def test_accuracies_that_contradict_sensitivity_and_specificity_are_remarked(printed, number):
    own = printed[printed["table"] == number]
    means = own.pivot_table(index="model", columns="metric", values="mean")
    expected = AD[number] * means["sensitivity"] + (1 - AD[number]) * means["specificity"]
    remarks = own[own["metric"] == "accuracy"].set_index("model")["remark"]
    for model, mean in means["accuracy"].items():
        contradicts = abs(mean - expected[model]) > FAR
        assert pd.notna(remarks[model]) == contradicts
        if contradicts:
            assert f"it would be {expected[model]:.3f}" in remarks[model]
    assert remarks.notna().sum() == 2


def test_the_six_probabilities_of_figure_11_fall(printed):
    values = printed.loc[printed["table"] == "11", "mean"].tolist()
    assert values == [0.86, 0.79, 0.56, 0.24, 0.08, 0.09]


@pytest.mark.parametrize(
    ("paper", "table", "metric", "p"),
    [("gla_gan", "I", "PSNR", "0.1690"), ("gan_anomaly", "1", "LPIPS", "< 0.0002")],
)
def test_p_values_are_as_printed(root, paper, table, metric, p):
    published = read_published(root / f"resources/published/{paper}.tsv", table)
    assert published.loc[published["metric"] == metric, "p_value"].dropna().tolist() == [p]


def test_they_reach_the_table_beside_their_value(root):
    published = read_published(root / "resources/published/gla_gan.tsv", "I")
    table = pd.DataFrame(
        {
            "dataset": "Paired",
            "method": ["unet", "gla_gan", "mean_pet"],
            "metric": ["MAE", "SSIM", "SSIM"],
            "mean": [0.1, 90.0, 80.0],
        }
    )
    made = with_printed(table, published).set_index("method")
    assert "the printed sd" in made.loc["unet", "remark"]
    assert made.loc["gla_gan", "published_p"] == "0.1363"
    assert made.loc["mean_pet", ["remark", "published_p"]].isna().all()


def test_a_paper_without_any_adds_no_column(root):
    published = read_published(root / "resources/published/dual_glow.tsv", "1")
    table = pd.DataFrame({"dataset": ["Paired"], "method": ["cvae"], "metric": ["SSIM"]})
    assert list(with_printed(table, published)) == list(table)
