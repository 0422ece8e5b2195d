"""Sessions of a BIDS folder: visits, the MRI of a PET of another session, filters and dates."""

import pytest
from bids_fakes import FDG, bids, reasons_of, scan, table_of

PEOPLE = ["participant_id\tgroup", "sub-01\tCN"]


def visits(tmp_path, mris, pets, more=None, **settings):
    """Read one person: {visit: session of its MRI, None for none} of paired visits, the reasons.

    `mris` and `pets` are labels of sessions; None is the level of the subject.
    """
    files = [*(scan("01", s) for s in mris), *(scan("01", s, "pet") for s in pets)]
    files = dict.fromkeys(files) | {"pet.json": FDG} | (more or {})
    table, out = table_of(bids(tmp_path, PEOPLE, files), **settings)
    found = {}
    for row in table.to_dict("records"):
        session = row["mri_file"].partition("ses-")[2].partition("/")[0] or None
        found[row["visit"]] = (session, row["kind"])
    return found, reasons_of(out).get("01", ""), table


@pytest.mark.parametrize(
    ("mris", "pets", "found"),
    [
        ((None,), (None,), {"bl": (None, "paired")}),
        (("1",), ("1",), {"1": ("1", "paired")}),
        (("mri",), ("pet",), {"pet": ("mri", "paired")}),
        ((None,), ("pet",), {"pet": (None, "paired")}),
        (("mri",), (None,), {"bl": ("mri", "paired")}),
        (("1",), ("1", "2", "3"), {s: ("1", "paired") for s in ("1", "2", "3")}),
        (
            ("1", "3"),
            ("1", "2", "3"),
            {"1": ("1", "paired"), "2": ("1", "paired"), "3": ("3", "paired")},
        ),
        ((None, "2"), ("1", "2"), {"1": (None, "paired"), "2": ("2", "paired")}),
        (("1", "10"), ("2", "11"), {"2": ("1", "paired"), "11": ("10", "paired")}),
        (("1", "2"), (), {"1": ("1", "mri_only"), "2": ("2", "mri_only")}),
    ],
)
def test_the_mri_of_a_pet(tmp_path, mris, pets, found):
    """Of its session, else of no session, else the nearest in the order of sessions."""
    got, reasons, _ = visits(tmp_path, mris, pets)
    assert got == found and not reasons
    assert list(got) == list(found)  # ses-2 before ses-11


def test_an_mri_of_a_session_without_pet_is_no_further_visit(tmp_path):
    got, reasons, _ = visits(tmp_path, ("1", "2", "3"), ("1",))
    assert list(got) == ["1"]
    assert reasons.count("its session has no PET of use") == 2


def dates(**days):
    """Rows of scans.tsv or sessions.tsv: label or path to day."""
    return [f"{name}\t{day}" for name, day in days.items()]


SESSIONS = {
    "sub-01/sub-01_sessions.tsv": ["session_id\tacq_time", "ses-a\t2020-01-01", "ses-b\t2020-06-01",
                                   "ses-c\t2020-06-20T10:00:00"],
}  # fmt: skip
SCANS = {
    f"sub-01/ses-{s}/sub-01_ses-{s}_scans.tsv": [
        "filename\tacq_time",
        f"{kind}/sub-01_ses-{s}_{suffix}.nii.gz\t{day}T08:00:00",
    ]
    for s, kind, suffix, day in (
        ("a", "anat", "T1w", "2020-01-01"),
        ("b", "pet", "pet", "2020-06-01"),
        ("c", "anat", "T1w", "2020-06-20"),
    )
}


@pytest.mark.parametrize("more", [SESSIONS, SCANS, SESSIONS | SCANS])
def test_the_nearest_by_date_goes_before_the_nearest_in_order(tmp_path, more):
    got, _, table = visits(tmp_path, ("a", "c"), ("b",), more)
    assert got == {"b": ("c", "paired")}
    row = table.iloc[0]
    assert (row["mri_date"], row["pet_date"], row["days_apart"]) == ("2020-06-20", "2020-06-01", 19)


@pytest.mark.parametrize(
    "more", [{}, {"sub-01/sub-01_sessions.tsv": ["session_id\tacq_time", "ses-a\tn/a"]}]
)
def test_without_dates_the_order_decides_and_no_dates_are_in_the_table(tmp_path, more):
    got, _, table = visits(tmp_path, ("a", "c"), ("b",), more)
    assert got == {"b": ("a", "paired")}
    assert "days_apart" not in table and "mri_date" not in table


@pytest.mark.parametrize(("days", "found"), [(19, "c"), (400, "c"), (18, None)])
def test_too_many_days_apart(tmp_path, days, found):
    got, reasons, _ = visits(tmp_path, ("a", "c"), ("b",), SESSIONS, max_days_apart=days)
    if found:
        assert got == {"b": (found, "paired")}
    else:
        assert {kind for _, kind in got.values()} == {"mri_only"}
        assert "the nearest T1w of sub-01 was made 19 days apart, more than 18" in reasons


@pytest.mark.parametrize("label", ["2", "ses-2", 2])
def test_a_filter_chooses_visits_and_not_where_the_mri_comes_from(tmp_path, label):
    got, reasons, _ = visits(tmp_path, ("1",), ("1", "2", "3"), sessions=[label])
    assert got == {"2": ("1", "paired")}
    assert reasons.count("is not among studies.ds.sessions (2)") == 2


def test_the_mri_of_a_session_that_is_no_visit_is_left_out_for_that_reason(tmp_path):
    got, reasons, _ = visits(tmp_path, ("1", "2"), ("1", "2"), sessions=["2"])
    assert got == {"2": ("2", "paired")}
    assert "T1w.nii.gz: session 1 is not among studies.ds.sessions" in reasons
    assert "no PET of use" not in reasons


def test_a_filter_of_people_without_pet(tmp_path):
    got, reasons, _ = visits(tmp_path, ("1", "2"), (), sessions=["1"])
    assert got == {"1": ("1", "mri_only")}
    assert "session 2 is not among studies.ds.sessions" in reasons


@pytest.mark.parametrize("entry", ["01/2", "sub-01/ses-2", "01/ses-2"])
def test_a_visit_left_out_by_name_lends_no_mri(tmp_path, entry):
    got, reasons, _ = visits(tmp_path, ("1", "2"), ("1", "2", "3"), exclude=[entry])
    assert got == {"1": ("1", "paired"), "3": ("1", "paired")}
    assert reasons.count("left out by the setting studies.ds.exclude") == 2


@pytest.mark.parametrize("entry", ["01", "sub-01"])
def test_a_person_left_out_by_name(tmp_path, entry):
    files = [scan(s, None, k) for s in ("01", "02") for k in ("T1w", "pet")]
    root = bids(tmp_path, [*PEOPLE, "sub-02\tCN"], dict.fromkeys(files) | {"pet.json": FDG})
    table, out = table_of(root, exclude=[entry])
    assert table["subject"].tolist() == ["02"]
    assert reasons_of(out) == {"01": "left out by the setting studies.ds.exclude"}


@pytest.mark.parametrize("apart", [(), ("C1",), ("C1", "C2", "P1")])
def test_controls_and_patients_scanned_in_two_sessions_stay_paired(tmp_path, apart):
    people = ["participant_id\tgroup", "sub-C1\tcontrol", "sub-C2\tcontrol", "sub-P1\tpatient"]
    files = {"pet.json": FDG}
    for person in ("C1", "C2", "P1"):
        for suffix in ("T1w", "pet"):
            session = {"T1w": "mri", "pet": "pet"}[suffix] if person in apart else "1"
            files[scan(person, session, suffix)] = None
    table, out = table_of(bids(tmp_path, people, files))
    assert table["kind"].tolist() == ["paired"] * 3 and out.empty
    assert table["visit"].tolist() == ["pet" if p in apart else "1" for p in ("C1", "C2", "P1")]


def test_a_patient_without_pet_stays_where_groups_are_named(tmp_path):
    people = ["participant_id\tgroup", "sub-01\tHC", "sub-02\tpatient"]
    files = [scan("01"), scan("01", None, "pet", "trc-18FFDG"), scan("02")]
    root = bids(tmp_path, people, files)
    table, _ = table_of(root, groups={"HC": "CN", "patient": "AD"})
    assert table["kind"].tolist() == ["paired", "mri_only"]
    table, out = table_of(root)
    assert table["subject"].tolist() == ["01"]
    assert reasons_of(out)["02"] == "no session of sub-02, a patient, has a T1w and PET"
