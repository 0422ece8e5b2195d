"""`visits: first`: one row a person, whoever read the study; the other scans are exclusions."""

import pandas as pd
import pytest
from adni_fakes import PET, exam, image, write
from bids_fakes import bids, scan, table_of

from mri2pet.cohorts.adni.reader import build_cohort
from mri2pet.cohorts.contract import EXCLUSION_COLUMNS
from mri2pet.cohorts.first_visits import keep_first

FIRST = {"name": "ds", "visits": "first"}
LATER = [("m12", "3/30/2007"), ("m24", "3/30/2008"), ("m36", "3/30/2009"), ("m48", "3/30/2010")]


@pytest.fixture
def adni(tmp_path):
    """A person with five MRIs, the third with a PET, and one with two MRIs alone."""
    other = "011_S_0006"
    images = [
        image(1),
        *(image(2 + i, Visit=v, **{"Acq Date": d}) for i, (v, d) in enumerate(LATER)),
    ]
    images += [image(9, **PET, Visit="m24", **{"Acq Date": "4/02/2008"})]
    images += [image(11, other, Visit="m12", **{"Acq Date": "3/30/2007"}), image(12, other)]
    tables = [write(tmp_path / "i.csv", images), write(tmp_path / "ADNIMERGE.csv", [exam()])]
    return build_cohort(tables, ["CN"], 183)


@pytest.fixture
def of_bids(tmp_path):
    """The same in a BIDS folder; sub-2's visits have dates against the order of their names."""
    people = ["participant_id\tgroup", "sub-1\tCN", "sub-2\tCN"]
    files = dict.fromkeys(
        [*(scan("1", session) for session in "12345"), *(scan("2", session) for session in "ab")]
    )
    files[scan("1", "3", suffix="pet", entities="trc-18FFDG")] = None
    files[scan("1", "4", suffix="pet", entities="trc-18FFDG")] = None
    for session, day in (("a", "2020-05-01"), ("b", "2019-05-01")):
        line = f"anat/sub-2_ses-{session}_T1w.nii.gz\t{day}T10:00:00"
        files[f"sub-2/ses-{session}/sub-2_ses-{session}_scans.tsv"] = ["filename\tacq_time", line]
    return table_of(bids(tmp_path, people, files), groups=["CN"])


def test_of_adni(adni):
    cohort, exclusions = keep_first(*adni, FIRST)
    assert cohort[["subject", "visit", "kind"]].to_numpy().tolist() == [
        ["011S0005", "m24", "paired"],
        ["011S0006", "bl", "mri_only"],
    ]
    new = exclusions.iloc[len(adni[1]) :]
    assert new["image_id"].tolist() == ["1", "2", "4", "5", "11"]
    assert set(new["reason"]) == {
        "studies.ds.visits: first, and visit m24 of the person is taken",
        "studies.ds.visits: first, and visit bl of the person is taken",
    }
    assert list(exclusions) == list(EXCLUSION_COLUMNS)


def test_of_bids(of_bids):
    cohort, exclusions = keep_first(*of_bids, FIRST)
    assert cohort[["subject", "visit", "kind"]].to_numpy().tolist() == [
        ["1", "3", "paired"],
        ["2", "b", "mri_only"],
    ]
    new = exclusions.iloc[len(of_bids[1]) :]
    assert new[["subject", "visit", "modality"]].to_numpy().tolist() == [
        ["1", "4", "MRI"],
        ["1", "4", "PET"],
        ["2", "a", "MRI"],
    ]


@pytest.mark.parametrize("reader", ["adni", "of_bids"])
@pytest.mark.parametrize("study", [{"name": "ds"}, {"name": "ds", "visits": "all"}])
def test_all_visits_stay_unless_the_first_is_asked_for(reader, study, request):
    before = request.getfixturevalue(reader)
    after = keep_first(*before, study)
    assert len(before[0]) > before[0]["subject"].nunique()
    for one, other in zip(before, after, strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("reader", ["adni", "of_bids"])
def test_types_of_the_columns_stay(reader, request):
    before = request.getfixturevalue(reader)
    assert keep_first(*before, FIRST)[0].dtypes.equals(before[0].dtypes)


def test_an_mri_that_the_kept_visit_shares_is_not_left_out(tmp_path):
    """Two PET sessions may borrow one MRI."""
    files = [scan("1", "a"), *(scan("1", s, suffix="pet", entities="trc-18FFDG") for s in "ab")]
    read = table_of(bids(tmp_path, ["participant_id\tgroup", "sub-1\tCN"], files), groups=["CN"])
    assert len(read[0]) == 2
    cohort, exclusions = keep_first(*read, FIRST)
    assert cohort["visit"].tolist() == ["a"]
    assert exclusions[["visit", "modality"]].to_numpy().tolist() == [["b", "PET"]]
