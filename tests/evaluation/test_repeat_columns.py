"""The columns `repeats` and `repeat_sd`: of trainings of other seeds, in the table's own unit."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.evaluation.image_tables import image_table, read_published
from mri2pet.evaluation.repeats import with_repeats

SSIM = {"unet": 90.0, "unet__2": 92.0, "unet__3": 97.0, "gla_gan": 95.0, "mean_pet": 80.0}


@pytest.fixture
def published(root):
    return read_published(root / "resources/published/gla_gan.tsv", "I")


@pytest.fixture
def values():
    """Three folds of two visits; fold means spread around the method's, which is their mean."""
    rows = []
    for method, mean in SSIM.items():
        for fold, shift in enumerate((-1.0, 0.0, 1.0)):
            for visit in range(2):
                rows.append(
                    (method, f"s{fold}{visit}", "CN", fold, "SSIM", "percent", mean + shift)
                )
    columns = ["method", "subject", "group", "fold", "metric", "unit", "value"]
    table = pd.DataFrame(rows, columns=columns)
    others = [
        table.assign(metric=metric, unit=unit, value=table["value"] / 100)
        for metric, unit in (("PSNR", "dB"), ("MAE", "intensity in 0..1"))
    ]
    return pd.concat([table, *others], ignore_index=True)


def made(values, published):
    models = ["gla_gan", "unet"]
    return with_repeats(values, lambda v: image_table(v, models, published), models)


def test_repeats_are_counted_and_their_means_differ_by_the_sd(values, published):
    table = made(values, published)
    rows = table[table["metric"] == "SSIM"].set_index("method")
    assert rows["repeats"].dropna().to_dict() == {"gla_gan": 1, "unet": 3}
    assert rows.loc["unet", "repeat_sd"] == pytest.approx(np.std([90, 92, 97], ddof=1))
    assert rows.loc[["gla_gan", "mean_pet"], "repeat_sd"].isna().all()
    mae = table[(table["metric"] == "MAE") & (table["method"] == "unet")].iloc[0]
    assert mae["repeat_sd"] == pytest.approx(np.std([0.90, 0.92, 0.97], ddof=1))


def test_all_else_is_of_the_first_training(values, published):
    alone = image_table(
        values[~values["method"].str.contains("__")], ["gla_gan", "unet"], published
    )
    table = made(values, published)
    assert list(table) == [*alone, "repeats", "repeat_sd"]
    pd.testing.assert_frame_equal(table[list(alone)], alone)


def test_without_repeats_every_model_has_one(values, published):
    table = made(values[~values["method"].str.contains("__")], published)
    assert set(table["repeats"].dropna()) == {1}
    assert table["repeat_sd"].isna().all()
