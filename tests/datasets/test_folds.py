import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mri2pet.datasets.enough import deal
from mri2pet.datasets.folds import fold_sizes, make_folds
from mri2pet.errors import InputError

GROUPS = ("CN", "MCI", "AD")
SETTINGS = {"n": 3, "seed": 1, "groups": GROUPS}


@st.composite
def visit_tables(draw):
    """Visits of up to 40 subjects, each group with at least three paired ones."""
    rows = []
    for group in ("CN", "AD"):
        for kind, least in (("paired", 3), ("mri_only", 0)):
            for _ in range(draw(st.integers(least, 10))):
                subject = f"{len(rows):03d}S{len(rows):04d}"
                for visit in ("bl", "m12")[: draw(st.integers(1, 2))]:
                    rows.append((subject, visit, group, kind))
    return pd.DataFrame(rows, columns=["subject", "visit", "group", "kind"])


@settings(deadline=None, max_examples=40)
@given(visit_tables(), st.integers(0, 2**32 - 1))
def test_folds_are_balanced_within_every_stratum_and_as_a_whole(visits, seed):
    folds = make_folds(visits, 3, seed, GROUPS)
    assert folds["subject"].tolist() == sorted(set(visits["subject"]))
    assert set(folds["fold"]) == {0, 1, 2}
    for _, stratum in [*folds.groupby(["group", "kind"]), ("all", folds)]:
        sizes = stratum["fold"].value_counts().reindex(range(3), fill_value=0)
        assert sizes.max() - sizes.min() <= 1


@settings(deadline=None, max_examples=40)
@given(visit_tables(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(visits, random):
    order = list(range(len(visits)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(
        make_folds(visits, **SETTINGS), make_folds(visits.iloc[order], **SETTINGS)
    )


def table(rows):
    return pd.DataFrame(rows, columns=["subject", "group", "kind"])


def test_another_seed_gives_other_folds():
    visits = table([(f"{i:03d}S0001", "CN", "paired") for i in range(30)])
    first, second = (make_folds(visits, 3, seed, GROUPS)["fold"].tolist() for seed in (1, 2))
    assert first != second


def test_these_folds_stay_what_they_are():
    visits = table([(f"{i:03d}S0001", ("CN", "AD")[i % 2], "paired") for i in range(8)])
    folds = make_folds(visits, 2, 1, GROUPS)
    assert folds["fold"].tolist() == [1, 1, 0, 1, 1, 0, 0, 0]


def test_a_subject_counts_once_whatever_its_visits_are():
    rows = [(f"{i:03d}S0001", "CN", "paired") for i in range(4)]
    rows += [(f"{i:03d}S0002", "AD", "paired") for i in range(3)]
    rows += [("000S0001", "AD", "mri_only"), ("001S0001", "CN", "mri_only")]
    folds = make_folds(table(rows), **SETTINGS).set_index("subject")
    assert len(folds) == 7
    assert folds.loc["000S0001", ["group", "kind"]].tolist() == ["AD", "paired"]
    assert folds.loc["001S0001", ["group", "kind"]].tolist() == ["CN", "paired"]


def test_too_few_subjects_are_counted_in_the_message():
    rows = [("001S0001", "CN", "paired"), ("002S0001", "CN", "mri_only")]
    rows += [("003S0001", "AD", "paired"), ("004S0001", "AD", "mri_only")]
    with pytest.raises(InputError, match=r"3 folds need at least 3 subjects .*there are 2"):
        make_folds(table(rows), **SETTINGS)
    with pytest.raises(InputError, match=r"folds\.n: 1 is too few"):
        make_folds(table(rows), 1, 1, GROUPS)
    with pytest.raises(InputError, match="unknown group 'Phantom'"):
        make_folds(table([("003S0001", "Phantom", "paired")]), **SETTINGS)


def test_a_group_smaller_than_the_folds_is_spread_and_warned_of(caplog):
    rows = [(f"{i:03d}S0001", "CN", "paired") for i in range(20)]
    rows += [(f"{i:03d}S0002", "MCI", "paired") for i in range(6)]
    rows += [(f"{i:03d}S0003", "AD", "paired") for i in range(4)]
    folds = make_folds(table(rows), 10, 1, GROUPS)
    assert (folds["fold"].value_counts() == 3).all()
    for group, count in (("MCI", 6), ("AD", 4)):
        assert folds.loc[folds["group"] == group, "fold"].nunique() == count
        assert f"group {group} has {count} subjects with MRI and PET for 10 folds" in caplog.text
    assert "group CN" not in caplog.text


@settings(deadline=None, max_examples=40)
@given(visit_tables(), st.integers(0, 2**32 - 1), st.sampled_from(GROUPS), st.integers(0, 10**6))
def test_one_more_with_an_mri_alone_moves_nobody_who_has_a_pet(visits, seed, group, number):
    more = pd.DataFrame([(f"x{number}", "bl", group, "mri_only")], columns=visits.columns)
    folds, with_more = (
        make_folds(table, 3, seed, GROUPS).set_index("subject")
        for table in (visits, pd.concat([visits, more]))
    )
    paired = folds["kind"] == "paired"
    assert with_more.loc[folds.index, "fold"][paired].equals(folds["fold"][paired])


def test_one_more_with_an_mri_alone_moves_few_others():
    """Places are as many as before but for one, so that few have to give way."""
    moved = []
    for seed in range(50):
        people = {
            f"{i:03d}": (GROUPS[i % 3], "paired" if i < 30 else "mri_only") for i in range(90)
        }
        more = people | {"x": ("CN", "mri_only")}
        before, after = deal(people, 5, seed), deal(more, 5, seed)
        moved.append(sum(before[subject] != after[subject] for subject in people))
    assert np.mean(moved) < 3
    assert max(moved) <= 6


def test_sizes_are_counted_by_fold_group_and_kind():
    rows = [(f"{i:03d}S0001", "CN", "paired") for i in range(5)]
    sizes = fold_sizes(make_folds(table(rows), 2, 1, GROUPS))
    assert sizes == {"fold-0": {"CN paired": 3}, "fold-1": {"CN paired": 2}}
