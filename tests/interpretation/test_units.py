import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from mri2pet.interpretation.units import auc, best_regions, cohens_d, most_separating, shown_units


def row(fold, layer, unit, region, iou, auc=0.5, turned=0.0, d=0.0, side="high"):
    return {
        "fold": fold, "layer": layer, "unit": unit, "side": side, "region": region,
        "name": f"Region_{region}", "quantile": 0.9, "iou": iou, "expected_iou": 0.01,
        "turned_iou": turned, "auc": auc, "cohens_d": d, "n_positive": 3, "n_negative": 3,
    }  # fmt: skip


def test_auc_is_the_mann_whitney_statistic_with_ties():
    rng = np.random.default_rng(0)
    positive, negative = rng.integers(0, 5, (7, 4)), rng.integers(0, 4, (6, 4))
    wanted = mannwhitneyu(positive, negative).statistic / 42
    np.testing.assert_allclose(auc(positive.astype(float), negative.astype(float)), wanted)
    assert np.isnan(auc(positive[:0].astype(float), negative.astype(float))).all()


def test_cohens_d_uses_the_pooled_sd():
    positive, negative = np.array([[1.0], [3.0]]), np.array([[0.0], [0.0], [3.0]])
    pooled = np.sqrt((2 + 6) / 3)
    assert cohens_d(positive, negative)[0] == pytest.approx(1 / pooled)
    assert np.isnan(cohens_d(positive[:1], negative)).all()
    assert np.isnan(cohens_d(np.ones((2, 1)), np.ones((2, 1)))).all()


def test_units_are_ranked_by_iou_then_by_how_far_the_auc_is_from_one_half():
    table = pd.DataFrame(
        [
            row(0, 1, 0, 5, 0.2, auc=0.9),
            row(0, 1, 0, 6, 0.3, auc=0.6),
            row(0, 1, 1, 7, 0.3, auc=0.1),
            row(1, 1, 0, 8, 0.5, auc=np.nan),
            row(1, 1, 0, 9, np.nan),
            row(1, 2, 0, 9, np.nan),
        ]
    )
    best = best_regions(table)
    found = best[["rank", "fold", "layer", "unit"]].to_numpy().tolist()
    assert found == [[1, 1, 1, 0], [2, 0, 1, 1], [3, 0, 1, 0], [4, 1, 2, 0]]
    assert best["region"].to_list()[:3] == [8, 7, 6]
    assert pd.isna(best["region"].iloc[3])


def test_ranking_does_not_depend_on_the_order_of_rows():
    rng = np.random.default_rng(1)
    rows = [
        row(f, 1, u, r, rng.integers(3) / 4) for f in range(2) for u in range(3) for r in (1, 2)
    ]
    table = pd.DataFrame(rows)
    shuffled = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(best_regions(table), best_regions(shuffled))


def test_separating_units_beat_the_turned_atlas_and_are_no_mri():
    table = pd.DataFrame(
        [
            row(0, 0, 0, 1, 0.9, auc=1.0),
            row(0, 1, 0, 2, 0.2, auc=1.0, turned=0.3),
            row(0, 1, 1, 3, 0.4, auc=0.8, turned=0.3),
            row(0, 1, 2, 4, 0.4, auc=0.1, turned=0.3),
        ]
    )
    assert most_separating(best_regions(table))["unit"].to_list() == [2, 1]
    hopeless = best_regions(table.assign(turned_iou=0.95))
    assert most_separating(hopeless)["unit"].to_list() == [0, 2, 1]


def test_figure_shows_each_unit_once_and_both_kinds():
    rows = [row(0, 1, u, u + 1, 0.5 - u / 100, auc=0.5 + u / 100) for u in range(8)]
    shown = shown_units(best_regions(pd.DataFrame(rows)), 5)
    assert [unit["unit"] for unit in shown] == [0, 1, 2, 7, 6]
    assert [unit["chosen"] for unit in shown] == ["best IoU"] * 3 + ["most separating"] * 2
