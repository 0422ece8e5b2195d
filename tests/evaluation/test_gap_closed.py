"""The share of the gap between the mean PET and the best PET that a model closes, by hand."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.evaluation.configurations import configuration_table
from mri2pet.evaluation.gap import gap_closed, gap_rows
from mri2pet.evaluation.image_metrics import WHOLE
from mri2pet.evaluation.image_tables import REFERENCES, image_table, read_published
from mri2pet.reporting.oracle import GAP, ORACLE, TOO_SMALL, noted
from mri2pet.reporting.views import table_view

# MAE of the visits of each fold; in fold 1 errors are ten times as large.
ERRORS = {
    "mean_pet": {0: [0.04, 0.08], 1: [0.6]},
    "oracle": {0: [0.01, 0.03], 1: [0.2]},
    "unet": {0: [0.02, 0.06], 1: [0.28]},
    "gla_gan": {0: [0.05, 0.09], 1: [0.5]},
}
CLOSED = {"mean_pet": [0, 0], "oracle": [100, 100], "unet": [50, 80], "gla_gan": [-25, 25]}
SYSTEMS = {"gla_gan": "I", "dual_glow": "1", "gan_anomaly": "1"}


def values(errors=None, unit="intensity in 0..1"):
    """Rows of metrics: MAE as given, and all other metrics, which play no part."""
    rows = []
    for method, folds in (ERRORS if errors is None else errors).items():
        for fold, found in folds.items():
            for number, error in enumerate(found):
                who = {"method": method, "subject": f"s{fold}{number}", "visit": "bl", "fold": fold}
                measured = {
                    "MAE": (unit, error),
                    "SSIM": ("percent", 90.0 + number),
                    "PSNR": ("dB", 20.0 + number),
                    "CorCoef": ("fraction", 0.9),
                    "LPIPS": ("distance", 0.1),
                }
                measured |= {f"{name}{WHOLE}": own for name, own in measured.items()}
                for metric, (of, value) in measured.items():
                    rows.append(who | {"group": "AD", "metric": metric, "unit": of, "value": value})
    return pd.DataFrame(rows)


def table_of(system, root, given):
    published = read_published(root / f"resources/published/{system}.tsv", SYSTEMS[system])
    if system == "gan_anomaly":
        return configuration_table(given, {"unet": "semi-3D", "gla_gan": "3D-patch"}, published)
    return image_table(given, ["gla_gan", "unet"], published, system=system)


@pytest.mark.parametrize("system", SYSTEMS)
def test_it_is_the_ratio_of_a_fold_s_means_in_every_image_table(system, root):
    table = table_of(system, root, values())
    rows = table[table["metric"] == "gap closed"].set_index("method")
    assert set(rows.index) == set(ERRORS) == set(table["method"])
    assert (rows["unit"] == "percent").all()
    for method, shares in CLOSED.items():
        assert rows.loc[method, "mean"] == pytest.approx(np.mean(shares))
        assert rows.loc[method, "sd"] == pytest.approx(np.std(shares, ddof=1))
    assert (rows["n"] == 3).all()
    assert rows[["p_value", "published_mean", "published_sd"]].isna().all(axis=None)
    # not the mean over people of each one's own ratio: fold 0 would give (66.7 + 40) / 2 for unet
    assert rows.loc["unet", "mean"] != pytest.approx((160 / 3 + 80) / 2)


@pytest.mark.parametrize("system", SYSTEMS)
def test_without_the_best_pet_there_is_no_such_row(system, root):
    table = table_of(system, root, values({m: v for m, v in ERRORS.items() if m != "oracle"}))
    assert "gap closed" not in set(table["metric"])
    assert gap_rows(values({"oracle": ERRORS["oracle"]}), "Paired") == []


@pytest.mark.parametrize(
    ("best", "defined"), [(0.089, True), (0.0905, False), (0.1, False), (0.2, False)]
)
def test_a_gap_of_less_than_a_tenth_or_the_wrong_way_is_no_gap(best, defined):
    errors = pd.Series(
        {("mean_pet", 0): 0.1, ("oracle", 0): best, ("unet", 0): 0.095, ("unet", 1): 0.1}
    )
    closed = gap_closed(errors)
    assert closed.index.equals(errors.index)
    assert np.isfinite(closed["unet", 0]) == defined
    assert np.isnan(closed["unet", 1])  # a fold of which neither end is known


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_best_pet_is_never_the_best_model(system, root):
    table = table_of(system, root, values())
    view = table_view("a", "T", "", table, {"unet": "U-Net"})
    best = {row.label: any(cell.best for cell in row.cells) for row in view.rows}
    assert (best["U-Net"], best["Oracle"], best["Mean PET"]) == (True, False, False)
    assert {row.label for row in view.rows if row.reference} == {"Oracle", "Mean PET"}
    assert view.rows[[row.label for row in view.rows].index("U-Net")].cells[-1].value == "65 ± 21"
    assert list(REFERENCES).index("oracle") == 1


def test_the_report_says_what_it_is_and_how_much_each_model_closes(root):
    table = table_of("gla_gan", root, values())
    said = noted("Caption.", table, {"unet": "U-Net", "gla_gan": "GLA-GAN"})
    assert said == (f"Caption.{ORACLE}{GAP} Of the gap U-Net closes 65% and GLA-GAN closes 0%.")
    worse = table.assign(mean=table["mean"].where(table["method"] != "gla_gan", -40.0))
    assert noted("", worse, {"gla_gan": "GLA-GAN"}).endswith(
        " Of the gap unet closes 65%. "
        "Further from the real PET than the mean image: GLA-GAN (-40%)."
    )
    alike = table.assign(mean=table["mean"].where(table["metric"] != "gap closed"))
    assert noted("", alike, {}).endswith(TOO_SMALL)
    without = table[(table["method"] != "oracle") & (table["metric"] != "gap closed")]
    assert noted("Caption.", without, {}) == "Caption."
    diagnosis = table[table["metric"] == "SSIM"]
    assert noted("Caption.", diagnosis, {}) == f"Caption.{ORACLE}"


def test_its_interval_is_of_resampled_people_and_one_sample_for_all_methods(root):
    rng = np.random.default_rng(0)
    size = {fold: range(fold, 40, 2) for fold in (0, 1)}
    scale = rng.uniform(0.5, 2, 40)  # some people are harder for everybody
    errors = {
        method: {
            fold: [error * scale[person] for person in people] for fold, people in size.items()
        }
        for method, error in (("mean_pet", 0.05), ("oracle", 0.015), ("unet", 0.03))
    }
    noisy = {f: [e + 0.004 * rng.normal() for e in v] for f, v in errors["unet"].items()}
    rows = {row["method"]: row for row in gap_rows(values(errors | {"gla_gan": noisy}), "Paired")}
    for method, closed in (("mean_pet", 0), ("oracle", 100), ("unet", 100 * 20 / 35)):
        assert rows[method]["mean"] == pytest.approx(closed)
        assert np.isnan(rows[method]["low"]) or method == "unet"  # no resample differs
    noisy_row = rows["gla_gan"]
    assert 2 < noisy_row["high"] - noisy_row["low"] < 20
    assert noisy_row["low"] < noisy_row["mean"] < noisy_row["high"]
