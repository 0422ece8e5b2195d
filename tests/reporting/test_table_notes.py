"""What stands below a table: budgets, repeats and remarks, where the table has them."""

import pandas as pd
import pytest

from mri2pet.reporting.table_notes import notes
from mri2pet.reporting.views import table_view

LABELS = {"unet": "U-Net", "gla_gan": "GLA-GAN"}


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "dataset": "Paired",
            "method": ["gla_gan", "unet", "mean_pet"],
            "metric": "SSIM",
            "unit": "percent",
            "mean": [95.0, 90.0, 80.0],
            "sd": 1.0,
            "n": 4,
            "p_value": float("nan"),
            "published_mean": float("nan"),
            "published_sd": float("nan"),
            **dict.fromkeys(("low", "high", "p_holm", "p_folds"), float("nan")),
        }
    )


def test_nothing_is_said_of_what_is_not_there(table):
    assert notes(table, LABELS) == ""
    empty = table.assign(steps=pd.NA, repeats=1, repeat_sd=float("nan"), remark=None)
    assert notes(empty, LABELS) == ""


def test_budgets_are_told_and_whether_they_differ(table):
    steps = pd.array([120, 120, pd.NA], dtype="Int64")
    told = " Steps of each generator, mean over folds: GLA-GAN 120, U-Net 120."
    assert notes(table.assign(steps=steps), LABELS) == told
    steps = pd.array([120, 36, pd.NA], dtype="Int64")
    assert notes(table.assign(steps=steps), LABELS).endswith("Their budgets are not the same.")


def test_repeats_remarks_and_printed_p_stand_below_the_table(table):
    further = table.assign(
        repeats=pd.array([1, 3, pd.NA], dtype="Int64"),
        repeat_sd=[float("nan"), 0.25, float("nan")],
        published_p=["0.1363", None, None],
        remark=[None, "odd", None],
    )
    caption = table_view("t", "Title", "Caption.", further, LABELS).caption
    assert caption == (
        "Caption. Sd of the mean over 3 trainings of other seeds: SSIM: U-Net 0.250. "
        "p values that the paper prints: GLA-GAN, SSIM: 0.1363. "
        "On what the paper prints: U-Net, SSIM: odd."
    )
