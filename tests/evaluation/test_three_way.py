"""Metrics of three groups by hand, and the table's form."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.evaluation.three_way import METRICS, confusion, group_metrics, three_way_table

GROUPS = ("CN", "MCI", "AD")


def fold(truth, predicted, scores=None):
    table = pd.DataFrame({"truth": truth, "predicted": predicted})
    for place, group in enumerate(GROUPS):
        table[f"score_{group}"] = (
            (table["predicted"] == group).astype(float) if scores is None else scores[:, place]
        )
    return table


UNEVEN = fold(["CN"] * 4 + ["MCI"] * 2 + ["AD"] * 2, ["CN"] * 4 + ["CN", "MCI"] + ["CN", "AD"])


def test_metrics_by_hand():
    found = group_metrics(UNEVEN, GROUPS)
    assert tuple(found) == METRICS
    assert found["accuracy"] == pytest.approx(6 / 8)
    assert found["balanced accuracy"] == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert found["macro F1"] == pytest.approx((8 / 10 + 2 / 3 + 2 / 3) / 3)
    # areas of each group against the rest: CN 1/2 of ties among the two called CN
    assert found["macro AUC"] == pytest.approx((0.75 + 0.75 + 0.75) / 3)
    expected = (6 * 4 + 1 * 2 + 1 * 2) / 64
    assert found["Cohen's kappa"] == pytest.approx((6 / 8 - expected) / (1 - expected))


def test_auc_is_by_the_score_of_its_own_group():
    truth = list(GROUPS) * 2
    scores = np.eye(3)[[0, 1, 2, 0, 1, 2]]
    right = group_metrics(fold(truth, truth, scores), GROUPS)["macro AUC"]
    mixed_up = group_metrics(fold(truth, truth, scores[:, [1, 2, 0]]), GROUPS)["macro AUC"]
    assert right == 1
    assert mixed_up < 0.5


def test_what_a_fold_cannot_tell_is_missing():
    without_mci = group_metrics(UNEVEN[UNEVEN["truth"] != "MCI"], GROUPS)
    assert without_mci["accuracy"] == pytest.approx(5 / 6)
    assert all(np.isnan(without_mci[name]) for name in METRICS[1:4])
    alone = group_metrics(UNEVEN[UNEVEN["truth"] == "CN"], GROUPS)
    assert np.isnan(alone["Cohen's kappa"])
    assert all(np.isnan(value) for value in group_metrics(UNEVEN.iloc[:0], GROUPS).values())


def test_confusion_has_the_true_group_in_rows():
    expected = [[4, 0, 0], [1, 1, 0], [1, 0, 1]]
    np.testing.assert_array_equal(confusion(UNEVEN, GROUPS), expected)
    turned = ("AD", "CN", "MCI")
    np.testing.assert_array_equal(
        confusion(UNEVEN, turned), np.array(expected)[np.ix_([2, 0, 1], [2, 0, 1])]
    )
    missing = UNEVEN.assign(predicted=[None, *UNEVEN["predicted"][1:]])
    assert confusion(missing, GROUPS).sum() == len(UNEVEN) - 1


def test_table_has_the_contract_s_form():
    rows = [
        UNEVEN.assign(method=method, fold=number, subject=[f"{number}{i}" for i in range(8)])
        for method in ("only_mri", "unet", "gla_gan")
        for number in range(3)
    ]
    table = three_way_table(pd.concat(rows), "Complete", GROUPS, ["gla_gan", "unet"])
    assert list(table.columns) == list(COLUMNS)
    assert list(dict.fromkeys(table["method"])) == ["gla_gan", "unet", "only_mri"]
    assert list(dict.fromkeys(table["metric"])) == list(METRICS)
    assert set(table["n"]) == {24}
    assert table["published_mean"].isna().all()
    accuracy = table[(table["method"] == "unet") & (table["metric"] == "accuracy")]
    assert accuracy["mean"].item() == pytest.approx(0.75)
    assert accuracy["sd"].item() == pytest.approx(0)
