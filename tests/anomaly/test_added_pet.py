"""What a detector learns from beside its controls' real PET: whose, how bright, how different."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.anomaly.added_pet import alone_rows, matched
from mri2pet.anomaly.spread import RATIO, TOP, between_people, spread_table
from mri2pet.anomaly.training_sets import fold_people, training_volumes
from mri2pet.datasets.further_controls import held_back, with_roles
from mri2pet.datasets.selection import synthesis_rows, training_rows
from mri2pet.errors import InputError
from mri2pet.files import write_tsv

SHAPE = (12, 13, 9)
RNG = np.random.default_rng(0)
MASK = np.zeros(SHAPE, bool)
MASK[1:-1, 1:-1, 1:-1] = True
VISITS = pd.DataFrame(
    {
        "index": range(9),
        "subject": ["c1", "c2", "c3", "c4", "c1", "m1", "m2", "p1", "f1"],
        "visit": [*["bl"] * 4, "m12", *["bl"] * 4],
        "group": "control",
        "kind": [*["paired"] * 4, *["mri_only"] * 3, "paired", "paired"],
        "role": [*["control"] * 7, "patient", "further"],
    }
)
FOLDS = pd.DataFrame({"subject": ["c1", "c2", "c3", "c4", "m1", "m2"], "fold": [0, 1, 0, 1, 0, 1]})
PET = np.where(MASK, RNG.uniform(0.2, 1, (9, *SHAPE)), 0).astype(np.float32)


def synthesis(folder, top):
    """Files of one model's synthesis of both folds, too dark by a factor."""
    paths = [], []
    for fold in range(2):
        rows = synthesis_rows(VISITS, FOLDS, fold)
        np.save(folder / f"{fold}.npy", PET[rows["index"]] * np.float32(top))
        write_tsv(folder / f"{fold}.tsv", rows)
        paths[0].append(folder / f"{fold}.npy")
        paths[1].append(folder / f"{fold}.tsv")
    return paths


def percentile(volume):
    return np.percentile(volume[MASK], 99.5)


@pytest.mark.parametrize("top", [0.3, 0.92, 1.4])
@pytest.mark.parametrize("match", [False, True])
def test_synthetic_pet_enters_on_the_scale_of_real_pet(tmp_path, top, match):
    real = PET / np.array([percentile(one) for one in PET])[:, None, None, None]
    real = np.clip(real, 0, 1)
    rows = fold_people(VISITS, FOLDS, 0).training
    about = {"visits": VISITS, "mask": MASK, "match": match}
    made = training_volumes(real, rows, *synthesis(tmp_path, top), 0, **about)
    assert len(made) == len(rows) + 2
    for volume in made:
        assert percentile(volume) == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(made[: len(rows)], real[rows["index"]])
    assert not made[:, ~MASK].any()


def test_nobody_with_a_pet_at_another_visit_is_a_control_with_an_mri_alone(tmp_path):
    """c1 is held out of fold 0; the generator of fold 0 synthesises c1's second visit."""
    table = synthesis_rows(VISITS, FOLDS, 0)
    assert "c1" in set(table.loc[table["role"] == "mri_only", "subject"])
    assert alone_rows(table, VISITS)["subject"].tolist() == ["m1", "m2"]
    rows = fold_people(VISITS, FOLDS, 0).training
    about = {"visits": VISITS, "mask": MASK}
    made = training_volumes(PET, rows, *synthesis(tmp_path, 1), 0, **about)[len(rows) :]
    expected = PET[[5, 6]] / np.array([percentile(PET[n]) for n in (5, 6)])[:, None, None, None]
    np.testing.assert_allclose(made, np.clip(expected, 0, 1), atol=1e-6)


def test_matching_changes_intensities_and_not_their_order():
    dark = PET[:2] ** 2 * 0.7
    made = matched(dark, PET[2:5], MASK)
    for before, after in zip(dark, made, strict=True):
        assert (np.diff(after[MASK][np.argsort(before[MASK])]) >= 0).all()
        assert abs(after[MASK].mean() - PET[2:5][:, MASK].mean()) < 0.002
    assert abs(dark[:, MASK].mean() - PET[2:5][:, MASK].mean()) > 0.2


def test_copies_do_not_differ_and_real_people_do():
    assert between_people([PET[0]] * 4, MASK) == 0
    assert between_people(PET[:4], MASK) == pytest.approx(0.8 / np.sqrt(12), rel=0.05)
    assert np.isnan(between_people(PET[:1], MASK))
    folds = [{RATIO: 0.0, TOP: 0.9}, {RATIO: 0.2, TOP: 0.9}]
    table = spread_table(
        {"placebo": folds, "more_real": [{RATIO: 1.0}]}, {"placebo": 4, "more_real": 9}
    )
    first = table.iloc[0]
    assert (first["method"], first["metric"], first["mean"], first["n"]) == (
        "placebo",
        RATIO,
        0.1,
        4,
    )
    assert table["method"].tolist() == ["placebo", "placebo", "more_real"]


COHORT = [{"subject": f"c{number}", "role": "control", "kind": "paired"} for number in range(8)] + [
    {"subject": "m", "role": "control", "kind": "mri_only"},
    {"subject": "p", "role": "patient", "kind": "paired"},
]


def test_controls_are_held_back_by_their_label_alone():
    back = held_back(COHORT, 3, 1)
    assert len(back) == 3 and {"m", "p"}.isdisjoint(back)
    assert held_back(COHORT[::-1], 3, 1) == back
    assert held_back(COHORT, 2, 1) < back
    assert held_back(COHORT, 0, 1) == set()
    with pytest.raises(InputError, match="further_controls: 8 of 8"):
        held_back(COHORT, 8, 1)
    table = with_roles(pd.DataFrame(COHORT), back)
    assert (table["role"] == "further").sum() == 3


def test_who_is_held_back_is_learnt_from_where_it_is_asked_for_alone(tmp_path):
    people = fold_people(VISITS, FOLDS, 0)
    everybody = pd.concat([people.training, people.held_out, people.patients])
    assert "f1" not in set(everybody["subject"])
    assert "f1" not in set(training_rows(VISITS, FOLDS, 0)["subject"])
    assert "f1" not in set(synthesis_rows(VISITS, FOLDS, 0)["subject"])
    about = {"visits": VISITS, "mask": MASK}
    made = training_volumes(PET, people.training, further=True, **about)
    np.testing.assert_array_equal(made[-1], PET[8])
    assert len(made) == len(people.training) + 1
    with pytest.raises(InputError, match="further_controls"):
        nobody = VISITS[VISITS["role"] != "further"]
        training_volumes(PET, people.training, further=True, visits=nobody, mask=MASK)
