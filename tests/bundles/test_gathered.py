"""What is gathered of all people, and the pages that show it."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mri2pet.bundles.apply import REGION_COLUMNS, Applied
from mri2pet.bundles.gathered import COLUMNS, gather
from mri2pet.cohorts.contract import EXCLUSION_COLUMNS
from mri2pet.files import write_json, write_tsv
from mri2pet.imaging.volume import Volume
from mri2pet.reporting.applied import with_pages, write_group, write_person

ABOUT = {
    "label": "U-Net",
    "folds": [{}, {}],
    "study": {"name": "mine", "simulated": False, "licence": "CC0"},
    "trained_on": {
        "people": 5,
        "people_by_group": {"CN": 5},
        "age_years": [60, 80],
        "visits_by_scanner_make": {"GE": 5},
    },
}


@pytest.fixture
def gathered(tmp_path):
    cohort = pd.DataFrame(
        {"subject": ["a", "b", "c"], "visit": "1", "group": None, "age": ["70", None, None]}
    ).assign(sex=None)
    told = [
        {"Remarks": [], "Unlike": {"histogram": 0.5}},
        {"Remarks": ["age: 9.0 years <outside>"], "Unlike": {"histogram": 0.5, "age_years": 9.0}},
        {"Excluded": {"stage": "qc", "reason": "no T1 & no brain"}},
    ]
    sidecars, regions = [], []
    for name, content in zip("abc", told, strict=True):
        sidecars.append(tmp_path / f"{name}.json")
        write_json(sidecars[-1], content)
        regions.append(tmp_path / f"{name}.tsv")
        row = dict.fromkeys(REGION_COLUMNS, 1.0)
        write_tsv(regions[-1], pd.DataFrame([row]))
    regions[-1].write_bytes(b"")
    left_out = pd.DataFrame([dict.fromkeys(EXCLUSION_COLUMNS, "x")])
    return gather(cohort, left_out, sidecars, regions)


def test_each_person_has_a_row_and_a_status(gathered):
    people, regions, left_out = gathered
    assert tuple(people.columns[: len(COLUMNS)]) == COLUMNS
    assert list(people["status"]) == ["PET", "PET, unlike the training", "no PET"]
    assert people["age_years"].isna().tolist() == [True, False, True]
    assert list(regions["subject"]) == ["a", "b"]
    assert list(left_out["subject"]) == ["x", "c"]
    assert left_out["reason"].iloc[1] == "no T1 & no brain"


def test_nobody_with_a_pet_is_a_table_too(tmp_path):
    sidecar = tmp_path / "a.json"
    write_json(sidecar, {"Excluded": {"stage": "qc", "reason": "no"}})
    cohort = pd.DataFrame([dict.fromkeys(("subject", "visit", "group", "age", "sex"), "1")])
    left_out = pd.DataFrame(columns=list(EXCLUSION_COLUMNS))
    people, regions, left_out = gather(cohort, left_out, [sidecar], [sidecar])
    assert list(people["status"]) == ["no PET"] and regions.empty and len(left_out) == 1


def test_the_groups_page_names_everybody_and_escapes_what_comes_from_data(gathered, tmp_path):
    people, _, left_out = gathered
    shown = people.drop(columns=["subject", "visit"])
    shown.insert(0, "visit", ["sub-a", "sub-b", "sub-c"])
    write_group(tmp_path / "index.html", shown, left_out, ABOUT, {"sub-a": "a.html"})
    page = (tmp_path / "index.html").read_text()
    assert '<a href="a.html">sub-a</a>' in page and "sub-b" in page
    assert "&lt;outside&gt;" in page and "no T1 &amp; no brain" in page
    assert "for show" not in page and "CC0" in page


@pytest.mark.parametrize("simulated", [True, False])
def test_a_persons_page_has_the_largest_z_first(tmp_path, simulated):
    rows = [(n, f"R{n}", 0.5, 0.1, 0.4, 0.1, z) for n, z in enumerate((0.1, -3.0, np.nan, 2.0))]
    empty = Volume(np.zeros((2, 2, 2), np.float32), np.eye(4))
    regions = pd.DataFrame(rows, columns=list(REGION_COLUMNS))
    found = Applied(empty, empty, regions, {}, ["age: 9.0 years"])
    picture = tmp_path / "t1.png"
    Image.new("RGB", (4, 3), "white").save(picture)
    about = ABOUT | {"study": ABOUT["study"] | {"simulated": simulated}}
    write_person(tmp_path / "a.html", "sub-a", found, about, {"T1": picture})
    page = (tmp_path / "a.html").read_text()
    places = [page.index(f">R{n}<") for n in (1, 3, 0, 2)]
    assert places == sorted(places)
    assert "Unlike the training: age" in page and "data:image/webp;base64," in page
    assert ("for show" in page) == simulated


def test_visits_lead_to_the_pages_that_there_are(tmp_path):
    people = pd.DataFrame({"subject": ["A", "B"], "visit": ["bl", "m12"], "status": ["PET", "no"]})
    pages = [tmp_path / "a.html", tmp_path / "b.html"]
    pages[0].write_text("x")
    pages[1].touch()
    shown, links = with_pages(people, pages, tmp_path / "index.html")
    assert shown.columns.tolist() == ["visit", "status"]
    assert shown["visit"].tolist() == ["sub-A ses-bl", "sub-B ses-m12"]
    assert links == {"sub-A ses-bl": "a.html"}
