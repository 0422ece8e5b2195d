import pandas as pd
import pytest
from adni_fakes import PET, exam, image, write

from mri2pet.cohorts.adni.reader import COHORT_COLUMNS, build_cohort
from mri2pet.cohorts.contract import EXCLUSION_COLUMNS, validate_cohort
from mri2pet.errors import InputError


@pytest.fixture
def cohort(tmp_path):
    """Build a cohort from rows of the two tables."""

    def build(images, exams=(), groups=("CN", "AD"), max_days=183, **options):
        tables = [write(tmp_path / "collection.csv", images)]
        if exams:
            tables.append(write(tmp_path / "ADNIMERGE.csv", list(exams)))
        table, exclusions = build_cohort(tables, groups, max_days, **options)
        assert list(table.columns) == list(COHORT_COLUMNS)
        assert list(exclusions.columns) == list(EXCLUSION_COLUMNS)
        return table, dict(zip(exclusions["image_id"], exclusions["reason"], strict=True))

    return build


def test_a_pair_and_an_mri_alone(cohort):
    images = [
        image("I1"),
        image("2", **PET, **{"Acq Date": "2006-04-05"}),
        image("3", "002_S_0413", Group="AD", Sex="M", Visit="m12"),
    ]
    table, out = cohort(images, [exam(), exam("002_S_0413", VISCODE="m12", DX="Dementia")])
    assert table.astype(object).where(table.notna(), None).to_dict("records") == [
        {
            "subject": "002S0413", "visit": "m12", "group": "AD", "role": None, "age": 70.0,
            "sex": "M", "kind": "mri_only", "tracer": None, "mri_file": "002_S_0413",
            "mri_member": "3", "pet_file": None, "pet_member": None, "lesion_file": None,
            "mri_date": "2006-03-30", "pet_date": None, "days_apart": None,
        },
        {
            "subject": "011S0005", "visit": "bl", "group": "CN", "role": None, "age": 70.0,
            "sex": "F", "kind": "paired", "tracer": "18FFDG", "mri_file": "011_S_0005",
            "mri_member": "1", "pet_file": "011_S_0005", "pet_member": "2", "lesion_file": None,
            "mri_date": "2006-03-30", "pet_date": "2006-04-05", "days_apart": 6,
        },
    ]  # fmt: skip
    assert out == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Group": "Phantom"}, "unknown group 'Phantom' (collection.csv, line 3)"),
        ({"Group": "MCI"}, "group MCI is not among the study's groups"),
        ({"Group": ""}, "no diagnosis in the collection or in ADNIMERGE"),
        ({"Description": "3 Plane Localizer"}, "is not a T1-weighted"),
        ({"Description": "Axial PD-T2 TSE"}, "is not a T1-weighted"),
        ({"Description": "Hippocampal Mask MPR"}, "is not a T1-weighted"),
        ({"Modality": "DTI"}, "modality 'DTI' is neither MRI nor PET"),
        ({"Modality": "PET", "Description": "AV45 Coreg, Avg"}, "tracer: 'AV45 Coreg, Avg' is not"),
        ({"Modality": "PET", "Description": "PIB Coreg"}, "tracer: "),
        ({"Modality": "PET", "Description": "Raw"}, "does not say that it is FDG"),
        ({"Acq Date": "30.3.2006"}, "acquisition date '30.3.2006' is neither"),
        ({"Acq Date": "13/30/2006"}, "acquisition date"),
        ({"Visit": "../../etc"}, "visit '../../etc' cannot be used as a label"),
        ({"Visit": "bl\nm12"}, "visit 'bl?m12' cannot be used"),
        ({"Subject": "../011_S_0006"}, "is not an ADNI participant ID"),
        ({"Subject": "011_S_0006; rm -rf"}, "is not an ADNI participant ID"),
        ({"Image Data ID": "7/.."}, "is not a number"),
    ],
)
def test_rows_that_cannot_be_used_are_excluded(cohort, changes, reason):
    images = [image(1), image("77", "011_S_0006") | changes]
    table, out = cohort(images)
    assert table["mri_file"].tolist() == ["011_S_0005"]
    (found,) = out.values()
    assert reason in found
    assert "\n" not in found


def test_diagnosis_at_the_visit_goes_before_the_collection(cohort):
    images = [image(1), image(2, Visit="m24", **{"Acq Date": "3/30/2008"})]
    exams = [exam(), exam(VISCODE="m24", EXAMDATE="2008-03-30", DX="Dementia")]
    table, _ = cohort(images, exams)
    assert table["group"].tolist() == ["CN", "AD"]


def test_of_two_pets_the_nearest_is_taken_and_then_the_further_processed(cohort):
    day = "4/05/2006"
    images = [
        image(1),
        image(2, **PET, **{"Acq Date": "5/05/2006"}),
        image(3, **PET | {"Description": "ADNI Brain PET: Raw FDG"}, **{"Acq Date": day}),
        image(4, **PET | {"Description": "Coreg, Avg"}, **{"Acq Date": day}),
        image(5, **PET, **{"Acq Date": day}),
        image(6, **PET, **{"Acq Date": day}),
    ]
    table, out = cohort(images)
    assert table["pet_member"].tolist() == ["6"]
    assert out == dict.fromkeys("2345", "another PET of the visit, I6, is used")


def test_a_second_pet_of_a_visit_is_not_given_to_another_mri(cohort):
    images = [
        image(1),
        image(2, Visit="m06", **{"Acq Date": "9/20/2006"}),
        image(3, **PET, **{"Acq Date": "4/01/2006"}),
        image(4, **PET, **{"Acq Date": "4/20/2006"}),
    ]
    table, out = cohort(images)
    assert table["kind"].tolist() == ["paired", "mri_only"]
    assert out == {"4": "another PET of the visit, I3, is used"}


def test_of_two_mris_the_original_is_taken_and_not_the_repeat(cohort):
    images = [
        image(1),
        image(2, Description="MP-RAGE REPEAT"),
        image(3, Description="MPR; GradWarp; B1 Correction; N3", Type="Processed"),
    ]
    table, out = cohort(images)
    assert table["mri_member"].tolist() == ["1"]
    assert out == dict.fromkeys("23", "another MRI of the visit, I1, is used")


def test_screening_and_baseline_are_one_visit_and_the_mri_nearest_to_the_pet_is_taken(cohort):
    images = [
        image(1, Visit="sc", **{"Acq Date": "1/30/2006"}),
        image(2, Visit="bl"),
        image(3, **PET, **{"Acq Date": "3/28/2006"}),
    ]
    table, _ = cohort(images)
    assert table[["visit", "mri_member", "pet_member"]].to_numpy().tolist() == [["bl", "2", "3"]]


def test_a_pet_without_an_mri_in_time_is_excluded(cohort):
    images = [
        image(1),
        image(2, **PET, Visit="m12", **{"Acq Date": "3/30/2007"}),
        image(3, "011_S_0006", **PET),
    ]
    table, out = cohort(images, max_days=183)
    assert table["kind"].tolist() == ["mri_only"]
    assert out == {
        "2": "no MRI within 183 days: the nearest, I1, is 365 days away",
        "3": "the subject has no usable MRI",
    }


def test_the_limit_of_days_is_inclusive(cohort):
    images = [image(1), image(2, **PET, **{"Acq Date": "4/09/2006"})]
    assert cohort(images, max_days=10)[0]["kind"].tolist() == ["paired"]
    assert cohort(images, max_days=9)[0]["kind"].tolist() == ["mri_only"]


def test_repeated_rows_collapse_and_contradictory_ones_are_excluded(cohort):
    images = [image(1), image("I1"), image(2, "011_S_0006"), image(2, "011_S_0006", Group="AD")]
    table, out = cohort(images)
    assert table["mri_member"].tolist() == ["1"]
    assert out["2"].startswith("listed 2 times with different group: 'CN' (")


def test_exclude_names_subjects_and_visits(cohort):
    images = [
        image(1),
        image(2, Visit="m12", **{"Acq Date": "3/30/2007"}),
        image(3, "011_S_0006"),
    ]
    table, out = cohort(images, exclude=["011_S_0006", "011_S_0005/m12"])
    assert table["mri_member"].tolist() == ["1"]
    assert out == dict.fromkeys("23", "left out by the study's setting exclude")
    with pytest.raises(InputError, match=r"^exclude: '11S5' is neither"):
        cohort(images, exclude=["11S5"])


def test_a_subject_without_a_folder_is_excluded(cohort, tmp_path):
    (tmp_path / "011_S_0005").mkdir()
    table, out = cohort([image(1), image(2, "011_S_0006")], raw=tmp_path)
    assert table["mri_member"].tolist() == ["1"]
    assert out == {"2": "no folder 011_S_0006 in the raw folder"}


def test_a_wrong_raw_folder_is_explained(cohort, tmp_path):
    with pytest.raises(InputError, match="is not a folder; expected a folder with one folder a"):
        cohort([image(1)], raw=tmp_path / "nowhere")
    (tmp_path / "raw/ADNI/011_S_0005").mkdir(parents=True)
    with pytest.raises(InputError, match=r"no participant's folder; .*are in .*raw/ADNI: set raw"):
        cohort([image(1)], raw=tmp_path / "raw")
    with pytest.raises(InputError, match="no CSV file; expected"):
        build_cohort([], ["CN"], 30, raw=tmp_path / "raw/ADNI")


def test_no_usable_visit_says_what_was_found(cohort):
    images = [image(1, Group="MCI"), image(2, "011_S_0006", Group="MCI")]
    with pytest.raises(InputError, match="no usable visit among 2 images") as caught:
        cohort(images)
    assert "2 x group MCI is not among the study's groups" in str(caught.value)


def test_missing_age_and_sex_come_from_adnimerge_or_stay_missing(cohort, root):
    images = [image(1, Age="", Sex=""), image(2, "011_S_0006", Age="-4", Sex="X")]
    table, _ = cohort(images, [exam(EXAMDATE="3/30/2005")])
    assert table["age"].tolist() == [70.5, pd.NA]
    assert table["sex"].fillna("missing").tolist() == ["F", "missing"]
    validate_cohort(table, root / "workflow/schemas/cohort.schema.yaml")
