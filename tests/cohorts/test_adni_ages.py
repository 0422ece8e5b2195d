"""Ages and diagnoses at visits for which ADNIMERGE has no row of their own."""

from datetime import date

import pytest

from mri2pet.cohorts.adni.csv_tables import ExamRow, parse_date
from mri2pet.cohorts.adni.groups import age_at, group_at
from mri2pet.errors import ScanError


def row(viscode, day="", age="", diagnosis="", baseline=""):
    days = parse_date(day), parse_date(baseline)
    return ExamRow("011_S_0005", viscode, days[0], "", diagnosis, age, "", days[1])


@pytest.mark.parametrize(
    ("exams", "years"),
    [
        ([row("bl", "2006-04-02", "74.3")], 76.3),
        ([row("m12", "2007-04-02", "74.3")], 76.3),
        ([row("m24", "2008-04-02", "74.3")], 76.3),
        ([row("m120", "2016-04-02", "74.3")], 76.3),
        ([row("m36", "2009-04-02", "74.3"), row("m06", "2006-10-02", "74.3")], 76.3),
        ([row("m12", "2007-04-02", "74.3"), row("bl", "2006-04-02", "")], 76.3),
        ([row("m12", "2007-06-30", "74.3", baseline="2006-04-02")], 76.3),
        ([row("y1", "2017-04-02", "74.3", baseline="2006-04-02")], 76.3),
        ([row("bl", "", "74.3")], 76.3),
        ([row("bl", "2006-04-02", "74.3"), row("m12", "2007-04-02", "75.3")], 76.3),
        ([row("m12", "2007-04-02", "75.3"), row("m24", "2008-04-02", "76.3")], None),
        ([row("y1", "2017-04-02", "74.3")], 76.3),  # 24 months are planned
        ([row("m12", "2007-04-02", "")], None),
    ],
)
def test_age_counts_from_baseline_whichever_rows_are_there(exams, years):
    assert age_at(exams, date(2008, 4, 2), "", "m24") == years
    assert age_at(exams, date(2008, 4, 2), "80", "m24") == 80


def test_without_a_date_or_a_planned_visit_an_age_is_not_known():
    assert age_at([row("bl", "", "74.3")], date(2008, 4, 2), "", "v21") is None


@pytest.mark.parametrize(
    ("day", "group"),
    [
        ("2006-04-02", "CN"),
        ("2006-06-01", "CN"),
        ("2006-07-02", "CN"),  # 91 days from both: the earlier
        ("2006-07-03", "MCI"),
        ("2006-10-02", "MCI"),
        ("2007-01-01", "MCI"),  # m12 has no diagnosis
        ("2007-04-02", "MCI"),
        ("2007-04-05", "LMCI"),  # more than 183 days after m06: as the collection says
    ],
)
def test_a_visit_between_two_exams_has_the_group_of_the_nearest(day, group):
    exams = [
        row("m12", "2007-04-02", diagnosis=""),
        row("m06", "2006-10-01", diagnosis="MCI"),
        row("bl", "2006-04-02", diagnosis="CN"),
    ]
    fallback = "LMCI" if group == "LMCI" else None
    assert group_at(exams, "v07", parse_date(day), fallback, 183) == group
    assert group_at(exams[::-1], "v07", parse_date(day), fallback, 183) == group


def test_the_months_of_exams_are_no_words():
    exams = [
        row("m120", "2016-01-11", diagnosis="Dementia"),
        row("m18", "2016-01-01", diagnosis="CN"),
    ]
    assert group_at(exams, "v07", date(2016, 1, 6), None, 183) == "CN"


@pytest.mark.parametrize("visit", ["v07", "m06"])
def test_two_diagnoses_of_one_exam_are_refused(visit):
    exams = [row("m06", "2006-10-01", diagnosis=word) for word in ("MCI", "Dementia")]
    with pytest.raises(ScanError, match="2 times with different DX: MCI, Dementia"):
        group_at(exams, visit, date(2006, 10, 3), "CN", 183)


@pytest.mark.parametrize("visit", ["v01", "v02", "v03", "bl"])
def test_new_participants_of_adni_2_are_at_baseline(visit):
    exams = [row("bl", "2011-01-01", diagnosis="CN"), row("m06", "2011-03-01", diagnosis="MCI")]
    assert group_at(exams, visit, date(2011, 2, 25), None, 183) == "CN"
