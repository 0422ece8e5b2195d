import numpy as np
import pandas as pd
import pytest
from skimage.metrics import structural_similarity

from mri2pet.errors import InputError
from mri2pet.evaluation import image_metrics as im


@pytest.fixture
def volumes():
    rng = np.random.default_rng(0)
    real = rng.uniform(0, 1, (20, 20, 20)).astype(np.float32)
    mask = np.zeros(real.shape, dtype=bool)
    mask[4:15, 5:16, 6:17] = True
    return real, np.clip(real + rng.normal(0, 0.1, real.shape), 0, 1).astype(np.float32), mask


def test_constant_offset_inside_the_mask_gives_exact_mae_and_psnr(volumes):
    real, _, mask = volumes
    real = real.astype(np.float64)
    synthetic = np.where(mask, real + 0.1, real - 5)  # outside must not count
    assert im.mae(real, synthetic, mask) == pytest.approx(0.1, abs=1e-12)
    assert im.psnr(real, synthetic, mask) == pytest.approx(20.0, abs=1e-9)


def test_identical_volumes(volumes):
    real, _, mask = volumes
    assert im.ssim(real, real, mask) == pytest.approx(100.0)
    assert im.mae(real, real, mask) == 0
    assert im.psnr(real, real, mask) == np.inf


def test_ssim_is_skimage_s_where_the_mask_is_what_skimage_averages(volumes):
    real, synthetic, _ = volumes
    inner = np.zeros(real.shape, dtype=bool)
    inner[5:-5, 5:-5, 5:-5] = True  # skimage leaves out half a window at each face
    expected = structural_similarity(
        real.astype(float),
        synthetic.astype(float),
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert im.ssim(real, synthetic, inner) == pytest.approx(100 * expected, rel=1e-9)


def test_ssim_ignores_what_is_far_from_the_mask(volumes):
    real, synthetic, _ = volumes
    mask = np.zeros(real.shape, dtype=bool)
    mask[:4] = True
    spoilt = synthetic.copy()
    spoilt[12:] = 0
    assert im.ssim(real, spoilt, mask) == im.ssim(real, synthetic, mask)


def table(roles):
    return pd.DataFrame(
        {
            "index": [2, 0],
            "subject": ["002S0002", "000S0000"],
            "visit": ["bl", "bl"],
            "group": ["CN", "AD"],
            "role": roles,
        }
    )


def test_only_held_out_visits_are_measured_each_against_its_own_real_pet(volumes):
    real, synthetic, mask = volumes
    dataset = np.stack([real, 1 - real, synthetic])
    measured = im.measure_visits(
        table(["test", "mri_only"]), dataset, np.stack([synthetic, real]), mask, fold=1
    )
    names = ["SSIM", "PSNR", "MAE", "CorCoef"]
    assert list(measured["metric"]) == [*names, *(name + im.WHOLE for name in names)]
    assert set(measured["subject"]) == {"002S0002"}
    assert measured.set_index("metric").loc["MAE", "value"] == 0
    assert list(measured.columns) == [
        "subject", "visit", "group", "fold", "metric", "unit", "value",
    ]  # fmt: skip


def test_the_whole_volume_counts_the_air_that_every_model_has_right(volumes):
    """An error inside the mask alone: over all voxels it is that times the mask's share."""
    real, _, mask = volumes
    real = np.where(mask, real, 0).astype(np.float64)
    made = np.where(mask, real + 0.1, 0)
    rows = table(["test", "mri_only"])
    measured = im.measure_visits(rows, np.stack([real] * 3), np.stack([made] * 2), mask, fold=0)
    value = measured.set_index("metric")["value"]
    share = mask.mean()
    assert value["MAE"] == pytest.approx(0.1)
    assert value["MAE" + im.WHOLE] == pytest.approx(0.1 * share)
    gain = -10 * np.log10(share)
    assert value["PSNR" + im.WHOLE] - value["PSNR"] == pytest.approx(gain)
    assert value["SSIM" + im.WHOLE] > value["SSIM"]
    units = measured.set_index("metric")["unit"]
    assert all(units[name + im.WHOLE] == units[name] for name in ("MAE", "PSNR", "SSIM"))


def test_what_is_spoilt_outside_the_mask_shows_in_the_whole_volume_alone(volumes):
    real, made, mask = volumes
    spoilt = np.where(mask, made, 1 - real)
    rows = table(["test", "mri_only"])
    values = [
        im.measure_visits(rows, np.stack([real] * 3), np.stack([own] * 2), mask, fold=0)
        .set_index("metric")["value"]
        for own in (made, spoilt)
    ]  # fmt: skip
    for name in ("MAE", "PSNR", "CorCoef"):
        assert values[0][name] == values[1][name]
        assert values[0][name + im.WHOLE] != values[1][name + im.WHOLE]


def test_table_and_volumes_that_do_not_belong_together_are_refused(volumes):
    real, synthetic, mask = volumes
    with pytest.raises(InputError, match="2 rows"):
        im.measure_visits(table(["test", "test"]), real[None], synthetic[None], mask, fold=0)
