"""Folds by site and by scanner: who is held out with whom, and what is refused in words."""

import logging
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mri2pet.cohorts.sites import read_sites
from mri2pet.datasets.enough import check_enough, people_of
from mri2pet.datasets.folds import FOLD_COLUMNS, make_folds
from mri2pet.datasets.scanners import COLUMNS, scanner_name, scanner_table, with_scanners
from mri2pet.datasets.together import units_of
from mri2pet.errors import InputError
from mri2pet.files import write_json

GROUPS = ("CN", "MCI", "AD")
P, M = "paired", "mri_only"


@st.composite
def cohorts(draw):
    """People of eight sites, each with one of three scanners; some with an MRI alone."""
    rows = []
    for number in range(draw(st.integers(24, 60))):
        site = number % 8 if number < 24 else draw(st.integers(0, 7))
        kind = P if number < 24 else draw(st.sampled_from([P, P, M]))
        group = GROUPS[draw(st.integers(0, 2))]
        rows.append((f"{site:03d}S{number:04d}", group, kind, f"{site:03d}", f"Maker {site % 3}"))
    return pd.DataFrame(rows, columns=["subject", "group", "kind", "site", "scanner"])


def folds_by(visits, by, n, seed=1):
    units = units_of(visits.to_dict("records"), by)
    return make_folds(visits, n, seed, GROUPS, by, units)


@given(cohorts(), st.sampled_from([("site", 2), ("site", 4), ("site", 8), ("scanner", 3)]))
def test_nobody_of_a_site_or_scanner_is_in_two_folds(visits, asked):
    by, n = asked
    folds = folds_by(visits, by, n)
    assert list(folds) == [*FOLD_COLUMNS, by]
    assert sorted(folds["subject"]) == sorted(visits["subject"])
    paired = folds[folds["kind"] == P]
    assert set(paired["fold"]) == set(range(n))
    assert folds.groupby(by)["fold"].nunique().eq(1).all()


@given(cohorts(), st.randoms(use_true_random=False))
def test_people_with_an_mri_alone_and_the_order_move_nobody_with_a_pet(visits, random):
    order = list(range(len(visits)))
    random.shuffle(order)
    for by, n in (("site", 4), ("scanner", 3)):
        whole = folds_by(visits.iloc[order], by, n)
        alone = folds_by(visits[visits["kind"] == P], by, n)
        assert whole[whole["kind"] == P].reset_index(drop=True).equals(alone)


def test_the_folds_of_sites_are_even_in_every_group():
    """Twelve sites of four people: with one group each, and with all of them."""
    rows = []
    for site in range(12):
        for number in range(4):
            group = GROUPS[site % 3] if site < 6 else GROUPS[number % 3]
            rows.append((f"{site:03d}S{number:04d}", group, P, f"{site:03d}"))
    visits = pd.DataFrame(rows, columns=["subject", "group", "kind", "site"])
    sizes = folds_by(visits, "site", 3).groupby(["fold", "group"]).size().unstack()
    assert (sizes.max() - sizes.min() <= 3).all()
    totals = sizes.sum(axis=1)
    assert totals.max() - totals.min() <= 4


def test_each_scanner_is_one_fold_in_the_order_of_names():
    rows = [(f"{n:03d}S0001", "CN", P, name) for n, name in enumerate("bacabc")]
    rows += [("007S0001", "CN", M, None), ("008S0001", "CN", M, "unseen")]
    visits = pd.DataFrame(rows, columns=["subject", "group", "kind", "scanner"])
    folds = folds_by(visits, "scanner", 3).set_index("subject")["fold"]
    assert [folds[subject] for subject in visits["subject"][:6]] == [1, 0, 2, 0, 1, 2]
    assert set(folds[["007S0001", "008S0001"]]) <= {0, 1, 2}


def test_who_was_scanned_in_two_counts_for_that_of_most_pets(caplog):
    rows = [
        {"subject": "a", "kind": P, "scanner": "Y"},
        {"subject": "a", "kind": M, "scanner": "X"},
        {"subject": "a", "kind": M, "scanner": "X"},
        {"subject": "b", "kind": M, "scanner": "X"},
        {"subject": "b", "kind": M, "scanner": "Y"},
        {"subject": "c", "kind": P, "scanner": float("nan")},
    ]
    with caplog.at_level(logging.WARNING):
        assert units_of(rows, "scanner") == {"a": "Y", "b": "X"}
    assert "2 people were scanned at more than one scanner (a ...)" in caplog.text


def people(**groups):
    return {f"{group}{n}": (group, P) for group, count in groups.items() for n in range(count)}


@pytest.mark.parametrize(
    ("by", "units", "n", "message"),
    [
        ("site", "001122", 4, r"^folds\.n: 4 folds by site need at least 4 sites .* are 3 \(0, 1"),
        ("site", "00", 2, r"^folds\.by: site, but of sub-CN2 \(4 of 6 people .* column `site` to"),
        ("scanner", "001122", 2, r"^folds\.n: 2, but .* 3 scanners \(0, 1, 2\).* set folds\.n: 3"),
        ("scanner", "000000", 2, r"on 1 scanners \(0\).* it takes two at least: set folds\.by: p"),
        ("scanner", "", 2, "of sub-CN0 .* has no Manufacturer or no ManufacturersModelName"),
    ],
)
def test_too_few_or_unknown_is_said_with_what_to_do(by, units, n, message):
    cohort = people(CN=4, AD=2)
    told = dict(zip(cohort, units, strict=False))
    with pytest.raises(InputError, match=message):
        check_enough(cohort, n, 1, by=by, units=told)


def test_a_fold_without_a_needed_group_is_refused_by_its_key():
    cohort = people(CN=4, AD=2)
    told = dict(zip(cohort, "010111", strict=True))
    message = r"^gla_gan\.diagnosis\.positive: of AD .* all 2 are in one\. .*set folds\.by: person"
    with pytest.raises(InputError, match=message):
        check_enough(cohort, 2, 1, {"gla_gan.diagnosis.positive": ["AD"]}, by="site", units=told)
    check_enough(cohort, 2, 1, {"gla_gan.diagnosis.positive": ["CN"]}, by="site", units=told)


def test_a_fold_that_tests_nobody_of_a_group_is_warned_of(caplog):
    rows = [(f"s{n}", group, P, str(n // 2)) for n, group in enumerate(["CN", "CN", "AD", "CN"])]
    visits = pd.DataFrame(rows, columns=["subject", "group", "kind", "site"])
    with caplog.at_level(logging.WARNING):
        folds_by(visits, "site", 2)
    assert "tests nobody of AD" in caplog.text


@given(cohorts(), st.integers(2, 5))
def test_by_person_nothing_has_changed(visits, n):
    plain = make_folds(visits, n, 3, GROUPS)
    assert list(plain) == list(FOLD_COLUMNS)
    units = units_of(visits.to_dict("records"), "site")
    assert plain.equals(make_folds(visits, n, 3, GROUPS, "person", units))
    sizes = Counter(plain["fold"])
    assert max(sizes.values()) - min(sizes.values()) <= 1
    check_enough(people_of(visits.to_dict("records"), GROUPS), n, 3)


@pytest.mark.parametrize(
    ("sidecar", "name"),
    [
        ({"Manufacturer": "Siemens", "ManufacturersModelName": "TrioTim"}, "Siemens TrioTim"),
        ({"Manufacturer": "GE ", "ManufacturersModelName": " SIGNA  HDx"}, "GE SIGNA HDx"),
        ({"Manufacturer": "GE"}, None),
        ({"ManufacturersModelName": "HR+"}, None),
        ({"Manufacturer": "n/a", "ManufacturersModelName": "HR+"}, None),
        ({"Manufacturer": 3, "ManufacturersModelName": "HR+"}, None),
    ],
)
def test_a_scanner_is_its_maker_and_model(sidecar, name):
    assert scanner_name(sidecar) == name


def test_the_table_of_scanners_joins_visits(tmp_path):
    visits = pd.DataFrame(
        [("a", "bl", P), ("a", "m12", M), ("b", "bl", P)], columns=["subject", "visit", "kind"]
    )
    told = [{"Manufacturer": "GE", "ManufacturersModelName": "X"}, {}, {"Excluded": "broken"}]
    pets = [{}, {"Manufacturer": "CTI", "ManufacturersModelName": "HR+"}]
    files = {}
    for kind, sidecars in {"mri": told, "pet": pets}.items():
        files[kind] = [tmp_path / f"{kind}{number}.json" for number in range(len(sidecars))]
        for path, said in zip(files[kind], sidecars, strict=True):
            write_json(path, said)
    table = scanner_table(visits, files["mri"], files["pet"], {"a": "011"})
    assert list(table) == list(COLUMNS)
    assert table["scanner"].fillna("").tolist() == ["GE X", "", ""]
    assert table["pet_scanner"].fillna("").tolist() == ["", "", "CTI HR+"]
    assert table["site"].fillna("").tolist() == ["011", "011", ""]
    joined = with_scanners(visits.iloc[[2, 0]].assign(index=[0, 1]), table)
    assert joined["pet_scanner"].fillna("").tolist() == ["CTI HR+", ""]


@pytest.mark.parametrize(
    ("text", "sites"),
    [
        (
            "participant_id\tsite\nsub-a\tKiel\nsub-011S0005\tn/a\n",
            {"a": "Kiel", "011S0005": "011"},
        ),
        ("participant_id\tage\nsub-a\t70\n", {"011S0005": "011"}),
        (None, {"011S0005": "011"}),
    ],
)
def test_a_site_stands_in_the_table_or_in_the_label(tmp_path, text, sites):
    table = None if text is None else tmp_path / "participants.tsv"
    if table is not None:
        table.write_text(text)
    assert read_sites(["a", "011S0005"], table) == sites
