"""Error, gap closed and AUC by stratum, of numbers that are put in."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.evaluation.strata import AGES, strata, strata_table
from mri2pet.files import write_tsv
from mri2pet.reporting.strata import sections

N = 24
MODELS = ["unet"]


def visits(scanner="AB", pet_scanner="AB", sex="FM"):
    """24 people, half of them women, ages from 55 to 90; the scanner changes after 12."""
    number = np.arange(N)
    return pd.DataFrame(
        {
            "subject": [f"s{n:02d}" for n in number],
            "visit": "bl",
            "group": [("CN", "AD")[n // 2 % 2] for n in number],
            "sex": [sex[n % len(sex)] for n in number],
            "age": np.linspace(55, 90, N),
            "fold": number % 3,
            "scanner": [scanner[n * len(scanner) // N] for n in number],
            "pet_scanner": [pet_scanner[n * len(pet_scanner) // N] for n in number],
        }
    )


def errors_of(people, unet):
    """Mean PET errs by 0.10, the best PET by 0.02, the model as told."""
    rows = people[["subject", "visit", "group", "fold"]].assign(metric="MAE", unit="x")
    return pd.concat(
        [
            rows.assign(method="mean_pet", value=0.10),
            rows.assign(method="oracle", value=0.02),
            rows.assign(method="unet", value=unet),
        ],
        ignore_index=True,
    )


def predictions_of(people, score):
    rows = people[["subject", "visit", "group", "fold"]].assign(truth=people["group"])
    made = rows.assign(score=score, predicted=np.where(score > 0, "AD", "CN"))
    return pd.concat([made.assign(method=name) for name in ("unet", "only_mri")])


def table_of(people, unet, score, **told):
    made = strata_table(
        errors_of(people, unet), predictions_of(people, score), people, MODELS, MODELS, "AD", **told
    )
    assert list(made) == list(COLUMNS)
    assert not made.duplicated(["method", "metric"]).any()
    return made.set_index(["method", "metric"])


def perfect(people):
    return pd.Series(np.where(people["group"] == "AD", 1.0, -1.0))


def test_an_error_that_women_have_stands_with_the_women():
    people = visits()
    women = people["sex"] == "F"
    made = table_of(people, np.where(women, 0.06, 0.04), perfect(people))
    assert made.loc[("unet", "MAE, women"), "mean"] == pytest.approx(0.06)
    assert made.loc[("unet", "MAE, men"), "mean"] == pytest.approx(0.04)
    assert made.loc[("unet", "MAE, women"), "n"] == women.sum()
    # of the 0.08 between mean PET and the best PET
    assert made.loc[("unet", "gap closed, women"), "mean"] == pytest.approx(50)
    assert made.loc[("unet", "gap closed, men"), "mean"] == pytest.approx(75)
    assert made.loc[("mean_pet", "gap closed, men"), "mean"] == pytest.approx(0)


def test_every_visit_with_a_known_age_is_in_one_band_and_its_edges_are_told():
    people = visits().assign(age=[64.9, 65.0, 74.9, 75.0, np.nan, *[80.0] * (N - 5)])
    own = dict(strata(people))
    counted = np.sum([own[words] for words in AGES], axis=0)
    assert counted.tolist() == people["age"].notna().astype(int).tolist()
    assert np.flatnonzero(own["under 65 years"]).tolist() == [0]
    assert np.flatnonzero(own["65 to 75 years"]).tolist() == [1, 2]
    assert own["75 years and over"][3]


@pytest.mark.parametrize(
    ("scanner", "pet_scanner", "named"),
    [
        ("A", "A", []),
        ("AB", "AB", ["scanner A", "scanner B"]),
        ("AB", "XY", ["scanner A", "scanner B"]),
        ("A", "XY", ["PET scanner X", "PET scanner Y"]),
        (
            "AB",
            "XYZ",
            ["scanner A", "scanner B", "PET scanner X", "PET scanner Y", "PET scanner Z"],
        ),
    ],
)
def test_scanners_stand_there_once_where_both_part_people_alike(scanner, pet_scanner, named):
    found = [words for words, _ in strata(visits(scanner, pet_scanner)) if "scanner" in words]
    assert found == named


def test_what_is_not_known_is_in_no_stratum_and_one_alone_is_none():
    people = visits(sex="F").assign(scanner=None, pet_scanner=None, age=np.nan, group="AD")
    assert not list(strata(people))
    people = visits().assign(sex=[None, *"FM" * 11, "F"])
    own = dict(strata(people))
    assert own["women"].sum() + own["men"].sum() == N - 1


def test_the_auc_is_that_of_the_stratum():
    """Right in the one scanner, reversed in the other."""
    people = visits()
    turned = np.where(people["scanner"] == "A", 1, -1)
    made = table_of(people, 0.05, perfect(people) * turned)
    assert made.loc[("unet", "AUC, scanner A"), "mean"] == 1
    assert made.loc[("unet", "AUC, scanner B"), "mean"] == 0
    assert made.loc[("only_mri", "AUC, scanner B"), "mean"] == 0
    assert not [metric for _, metric in made.index if metric in ("AUC, AD", "AUC, CN")]


@pytest.mark.parametrize(("count", "there"), [(4, False), (5, True)])
def test_an_auc_needs_five_people_of_each_class(count, there):
    people = visits().assign(sex="M", group="CN", scanner="A", pet_scanner="A", age=70.0)
    people.loc[:11, "sex"] = "F"
    people.loc[: count - 1, "group"] = "AD"  # among the women
    people.loc[12:17, "group"] = "AD"
    made = table_of(people, 0.05, perfect(people))
    assert (("unet", "AUC, women") in made.index) == there
    assert ("unet", "AUC, men") in made.index


def test_two_visits_of_a_person_count_as_one():
    people = visits()
    again = people.iloc[[0]].assign(visit="m12")
    both = pd.concat([people, again], ignore_index=True)
    unet = np.full(N + 1, 0.05)
    unet[[0, N]] = 0.01, 0.05  # on average .03
    made = table_of(both, unet, perfect(both))
    women = people["sex"] == "F"
    wanted = (0.05 * (women.sum() - 1) + 0.03) / women.sum()
    assert made.loc[("unet", "MAE, women"), "mean"] == pytest.approx(wanted)
    assert made.loc[("unet", "MAE, women"), "n"] == women.sum()


def test_only_groups_that_were_learnt_from_count_for_images():
    people = visits()
    unet = np.where(people["group"] == "AD", 0.5, 0.05)
    made = table_of(people, unet, perfect(people), groups=["CN"])
    assert made.loc[("unet", "MAE, women"), "mean"] == pytest.approx(0.05)
    assert made.loc[("unet", "AUC, scanner A"), "mean"] == 1


def test_on_real_people_there_is_no_gap():
    people = visits()
    errors = errors_of(people, 0.05)
    errors = errors[errors["method"] != "oracle"]
    made = strata_table(
        errors, predictions_of(people, perfect(people)), people, MODELS, MODELS, "AD"
    )
    assert not made["metric"].str.startswith("gap").any()
    assert made["metric"].str.startswith("MAE").any()


def test_the_report_lists_every_stratum(tmp_path):
    people = visits()
    path = tmp_path / "tables/strata.tsv"
    path.parent.mkdir()
    write_tsv(path, table_of(people, 0.05, perfect(people)).reset_index())
    (section,) = sections([path], {"unet": "U-Net"}, "strata", "By sex")
    names = [listing.title for listing in section.listings]
    assert names == ["Mean absolute error", "Gap closed", "Diagnosis: AUC"]
    errors = section.listings[0].table.set_index("Method")
    assert errors.loc["U-Net", "women"].startswith("50.0")
    assert errors.loc["U-Net", "women"].endswith(f"({N // 2})")
    assert "AD" not in section.listings[2].table
    assert sections([tmp_path / "other.tsv"], {}, "strata", "x") == []
