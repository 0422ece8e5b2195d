"""The words below a table on networks that the local regression is better than."""

import pandas as pd
import pytest

from mri2pet.reporting.simplest import note_on_simplest
from mri2pet.reporting.views import table_view

LABELS = {"local_regression": "Local regression", "unet": "U-Net", "gla_gan": "GLA-GAN"}
COLUMNS = (
    *("unit", "sd", "p_value", "published_mean", "published_sd"),
    *("low", "high", "p_holm", "p_folds"),
)


def table_of(metric, **means):
    rows = [{"method": m, "metric": metric, "mean": v, "n": 3} for m, v in means.items()]
    return pd.DataFrame(rows).assign(dataset="Paired", **dict.fromkeys(COLUMNS, float("nan")))


@pytest.mark.parametrize(
    ("metric", "means", "said"),
    [
        ("MAE", {"unet": 0.04, "gla_gan": 0.02}, "It has a lower MAE than: U-Net."),
        ("MAE", {"unet": 0.04, "gla_gan": 0.05}, "It has a lower MAE than: U-Net, GLA-GAN."),
        ("MAE", {"unet": 0.03, "gla_gan": 0.02}, "No model has a higher MAE than it."),
        ("PSNR", {"unet": 0.02, "gla_gan": 0.05}, "It has a higher PSNR than: U-Net."),
        ("PSNR", {"unet": 0.04, "gla_gan": 0.05}, "No model has a lower PSNR than it."),
    ],
)
def test_it_follows_the_numbers(metric, means, said):
    table = table_of(metric, **means, local_regression=0.03, mean_pet=0.5)
    note = note_on_simplest(table, LABELS)
    assert note.startswith(" Local regression is no network")
    assert note.endswith(said)
    assert "Mean PET" not in note
    assert table_view("a", "t", "Caption.", table, LABELS).caption == "Caption." + note


@pytest.mark.parametrize(
    "table",
    [
        table_of("MAE", unet=0.1, mean_pet=0.2),
        table_of("MAE", local_regression=0.1, mean_pet=0.2),
        table_of("accuracy", unet=0.1, local_regression=0.2),
        table_of("MAE", unet=0.1, local_regression=float("nan")),
    ],
)
def test_nothing_is_said_where_there_is_nothing_to_compare(table):
    assert note_on_simplest(table, LABELS) == ""
