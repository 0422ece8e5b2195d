"""Generators learn from the training groups alone, and never from a subject of their fold."""

import numpy as np
import pandas as pd
import pytest

import fakes
from mri2pet.datasets.selection import synthesis_rows, training_rows
from mri2pet.errors import InputError
from mri2pet.evaluation.image_tables import image_table, read_published

ORDER = ("CN", "MCI", "AD")


@pytest.fixture
def tables():
    visits = fakes.visits(18, 6, 4)
    names = {s: ORDER[n % 3] for n, s in enumerate(visits["subject"].unique())}
    visits["group"] = visits["subject"].map(names)
    visits.loc[visits["visit"] == "m12", "group"] = "MCI"  # some convert
    subjects = visits.drop_duplicates("subject")[["subject", "group", "kind"]]
    return visits, subjects.assign(fold=np.arange(len(subjects)) // 3 % 3)


@pytest.mark.parametrize("fold", range(3))
@pytest.mark.parametrize("groups", [(), ("CN", "AD"), ("MCI",)])
def test_training_rows_are_of_the_groups_and_of_nobody_in_the_fold(tables, fold, groups):
    visits, folds = tables
    rows = training_rows(visits, folds, fold, groups)
    held_out = set(folds.loc[folds["fold"] == fold, "subject"])
    assert not held_out & set(rows["subject"])
    assert set(rows["kind"]) == {"paired"}
    assert set(rows["group"]) == set(groups or ORDER)
    wanted = visits[(visits["kind"] == "paired") & ~visits["subject"].isin(held_out)]
    if groups:
        wanted = wanted[wanted["group"].isin(groups)]
    assert rows["index"].tolist() == wanted["index"].tolist()


@pytest.mark.parametrize("fold", range(3))
def test_no_synthesised_pair_was_learnt_from_whatever_its_group(tables, fold):
    """MCI is synthesised by generators of CN and AD, also for people who were CN before."""
    rows = synthesis_rows(*tables, fold)
    learnt = training_rows(*tables, fold, ("CN", "AD"))
    tested = rows[rows["role"] == "test"]
    assert set(tested["group"]) == set(ORDER)
    assert not set(tested["subject"]) & set(learnt["subject"])
    assert not set(rows["index"]) & set(learnt["index"])


def test_nothing_to_learn_from_names_the_groups(tables):
    with pytest.raises(InputError, match="no visit of EMCI with MRI and PET"):
        training_rows(*tables, 0, ("EMCI",))


def test_table1_counts_the_groups_that_were_learnt_from(root):
    rows = [
        {
            "method": method, "subject": f"{fold}{group}", "visit": "bl", "group": group,
            "fold": fold, "metric": metric, "unit": unit, "value": 9.0 if group == "MCI" else 1.0,
        }
        for method in ("gla_gan", "mean_pet")
        for fold in range(3)
        for group in ORDER
        for metric, unit in (("SSIM", "percent"), ("PSNR", "dB"), ("MAE", "intensity in 0..1"))
    ]  # fmt: skip
    published = read_published(root / "resources/published/gla_gan.tsv", "I")
    few = image_table(pd.DataFrame(rows), ["gla_gan"], published, ("CN", "AD"))
    assert set(few["mean"]) == {1.0}
    assert set(few["n"]) == {6}
    everyone = image_table(pd.DataFrame(rows), ["gla_gan"], published)
    assert set(everyone["n"]) == {9}
