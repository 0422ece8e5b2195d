"""Held-out controls: who may be a negative, specificity, and the free-response curve."""

import numpy as np
import pandas as pd
import pytest
from detection_fakes import AFFINE, MASK, SCORES, SHAPE, box, examined, people

from mri2pet.anomaly.clusters import ClusterSettings
from mri2pet.anomaly.detection import SCORE
from mri2pet.anomaly.detection_tables import FALSE, SPECIFICITY, Found, detection_table
from mri2pet.anomaly.examination import Space, examine_everyone
from mri2pet.anomaly.fold_scores import score_folds
from mri2pet.anomaly.free_response import chance_at, free_response_curve, sensitivity_at
from mri2pet.anomaly.training_sets import refuse_trained
from mri2pet.errors import InputError

NOTHING = pd.DataFrame(columns=["model", "metric", "mean", "sd"])
DATASET = pd.DataFrame(
    {
        "index": range(6),
        "subject": ["c0", "c1", "c2", "c3", "p0", "p1"],
        "visit": "bl",
        "kind": "paired",
        "role": [*["control"] * 4, *["patient"] * 2],
    }
)
FOLDS = pd.DataFrame({"subject": ["c0", "c1", "c2", "c3"], "fold": [0, 1, 0, 1]})


def test_a_control_that_trained_is_never_a_negative():
    visits = people(4, 1)
    decisions, lesions = np.zeros((5, *SHAPE)), np.zeros((1, *SHAPE), bool)
    space, settings = Space(MASK, MASK, AFFINE), ClusterSettings()
    held = visits[:4]
    examine_everyone(visits, decisions, lesions, held, space, SCORES, settings, 1)
    moved = held.assign(fold=[0, 1, 2, 2])  # the last was scored by a fold that has learnt from it
    with pytest.raises(InputError, match=r"control c3 was scored by fold 3 .* learnt"):
        examine_everyone(visits, decisions, lesions, moved, space, SCORES, settings, 1)


@pytest.mark.parametrize(
    "negatives, generated, message",
    [
        (["c0", "c2"], ["c0", "c2"], ""),
        (["c0", "c1"], ["c0", "c1"], "control c1 was scored by fold 0"),  # fold 1 holds it out
        (["c0", "x"], ["c0", "x"], "control x was scored by fold 0"),  # no fold holds it out
        (
            ["c0", "c2"],
            ["c0"],
            "control c2 is held out .* generator",
        ),  # the generator trained on it
        (["c0", "c2"], None, ""),  # no synthetic PET
    ],
)
def test_who_may_be_a_negative_of_a_fold(negatives, generated, message):
    asked = pd.DataFrame({"subject": negatives, "fold": 0})
    if generated is not None:
        others = ["c1", "c2", "m1"]  # whom the generator is asked for, but not as people held out
        generated = pd.DataFrame(
            {
                "subject": [*generated, *others],
                "role": [*["test"] * len(generated), *["mri_only"] * len(others)],
            }
        )
    if not message:
        refuse_trained(asked, FOLDS, generated)
        return
    with pytest.raises(InputError, match=message):
        refuse_trained(asked, FOLDS, generated)


def test_scoring_by_folds_asks_each_fold_for_those_it_has_not_seen():
    asked_of = {}

    def score(fold, own, asked):
        asked_of[fold] = asked["subject"].tolist()
        assert not set(asked["subject"]) & set(own.training["subject"])
        return np.full((len(asked), *SHAPE), fold, np.float32)

    table, decisions = score_folds(DATASET, FOLDS, 2, score)
    assert asked_of == {0: ["c0", "c2", "p0", "p1"], 1: ["c1", "c3", "p0", "p1"]}
    assert table["subject"].tolist() == ["c0", "c2", "c1", "c3", "p0", "p1"]
    assert table["dataset_index"].tolist() == [0, 2, 1, 3, 4, 5]
    assert decisions[:, 0, 0, 0].tolist() == [0, 0, 1, 1, 0.5, 0.5]
    seen = pd.DataFrame({"subject": ["c0", "c1", "c3"], "role": "test"})
    with pytest.raises(InputError, match="control c2 is held out"):
        score_folds(DATASET, FOLDS, 2, score, lambda fold: seen)


def made(controls, hits):
    """Tables of controls with clusters of these excesses, and of patients and their hits."""
    rows = [
        {"subject": f"c{n}", "visit": "bl", "excess": excess, "hit": 0}
        for n, own in enumerate(controls)
        for excess in own
    ]
    for n, own in enumerate(hits):
        rows += [{"subject": f"p{n}", "visit": "bl", "excess": 1e6, "hit": 0}]
        rows += [{"subject": f"p{n}", "visit": "bl", "excess": e, "hit": 1} for e in own]
    counts = {"visit": "bl", "clusters": [len(own) for own in controls]}
    healthy = pd.DataFrame({"subject": [f"c{n}" for n in range(len(controls))], **counts})
    ill = pd.DataFrame({"subject": [f"p{n}" for n in range(len(hits))], "visit": "bl"})
    return ill, healthy, pd.DataFrame(rows, columns=["subject", "visit", "excess", "hit"])


def test_sensitivity_at_false_clusters():
    # four controls: false clusters of 9, 5, 5 and 2; patients found at 10, 6, 5 and never
    tables = made([[9, 5], [5], [2], []], [[10, 1], [6], [5], []])
    found = sensitivity_at(*tables, rates=[0, 0.25, 0.5, 0.75, 1.0])
    # none above 9; one above 5; 5 is as confident as false ones, so false ones come first
    assert [mean for mean, _, _ in found] == [0.25, 0.5, 0.5, 0.75, 0.75]
    assert all(low <= mean <= high for mean, low, high in found)


def test_the_free_response_curve_ends_where_all_clusters_are_false_or_found():
    ill, healthy, clusters = made([[9, 5], [5], [2], []], [[10, 1], [6], [5], []])
    both = free_response_curve("real", ill, healthy, clusters, moved(ill, healthy, [0.1, 0.2]))
    assert both.groupby("ranking").size().tolist() == [len(both) / 2] * 2
    curve = both[both["ranking"] == SCORE]
    assert curve["false_clusters"].iloc[[0, -1]].tolist() == [0, 1]
    assert curve["sensitivity"].is_monotonic_increasing
    assert curve["sensitivity"].iloc[-1] == 0.75
    ill, healthy, clusters = made([[]] * 4, [[3], []])
    none = free_response_curve("real", ill, healthy, clusters, moved(ill, healthy, [0.1, 0.2]))
    assert none[["false_clusters", "sensitivity"]].values.tolist() == [[0, 0.5], [0, 0]]


def moved(ill, healthy, shares):
    """Table of chance in which the first k clusters of anybody find these shares of places."""
    rows = [
        {"subject": patient, "visit": "bl", "among": "controls", "other": other, "places": 10}
        | {f"within_{k}": share for k, share in enumerate(shares, start=1)}
        for patient in ill["subject"]
        for other in healthy["subject"]
    ]
    own = pd.DataFrame(rows)
    return pd.concat([own, own[own["other"] == "c0"].assign(among="patients", within_1=1.0)])


def test_chance_at_false_clusters_is_that_of_the_controls_clusters_above_the_threshold():
    # two controls with clusters of 9, 5 and of 5; nobody above 9
    ill, healthy, clusters = made([[9, 5], [5], [2], []], [[10, 1], [6], [5], []])
    chance = moved(ill, healthy, [0.2, 0.5])
    found = chance_at(ill, healthy, clusters, chance, rates=[0, 0.25, 0.75, 1.0])
    # none; one of c0; two of c0 and one of c1; c2's, too
    expected = [0, 0.2 / 4, (0.5 + 0.2) / 4, (0.5 + 0.2 + 0.2) / 4]
    assert [mean for mean, _, _ in found] == pytest.approx(expected)
    assert found[0] == (0, 0, 0)  # no cluster, no chance
    assert all(low <= mean <= high for mean, low, high in found)
    best = sensitivity_at(ill, healthy, clusters, rates=[1.0])[0][0]
    assert best > found[-1][0]


def test_a_lesion_that_fits_nowhere_is_left_out_of_chance():
    ill, healthy, clusters = made([[9], [5], [4]], [[10], [6], [5]])
    chance = moved(ill, healthy, [0.3])
    chance.loc[chance["subject"] == "p1", "within_1"] = np.nan
    ((mean, _, _),) = chance_at(ill, healthy, clusters, chance, rates=[1.0])
    assert mean == pytest.approx(0.3)
    chance["within_1"] = np.nan
    assert np.isnan(chance_at(ill, healthy, clusters, chance, rates=[1.0])[0][0])


def test_patients_and_controls_are_resampled_apart():
    """As many of both: were they drawn alike, thresholds and patients would go together."""
    tables = made([[float(n)] for n in range(12)], [[n + 0.5] for n in range(12)])
    ((mean, low, _),) = sensitivity_at(*tables, rates=[0.5])
    assert mean == pytest.approx(7 / 12) and low < 0.3  # drawn alike it would be .58


def test_specificity_and_false_clusters_of_controls():
    lesions = [box((4, 4, 4), 4)] * 6
    found = examined(lesions, lesions, controls=8, smallest_ml=0.05)
    tables = Found(found.patients, found.controls, found.clusters, found.chance)
    table = detection_table({"real": tables}, NOTHING)
    rows = table[table["dataset"] == "Held-out controls"].set_index(["method", "metric"])
    clean = (found.controls["clusters"] == 0).mean()
    assert rows.loc[("real", SPECIFICITY), "mean"] == clean
    assert rows.loc[("real", SPECIFICITY), "n"] == 8
    assert rows.loc[("real", FALSE), "mean"] == found.controls["clusters"].mean()
    assert rows[["low", "high"]].notna().all(axis=None)
    false = found.clusters[found.clusters["role"] == "control"]
    assert len(false) == found.controls["clusters"].sum() and not false["hit"].any()


@pytest.mark.parametrize("threshold, everybody", [("controls", False), ("own", True)])
def test_the_papers_threshold_forces_clusters_on_everybody(threshold, everybody):
    """One patient has a deep lesion, the other none; a control is noise."""
    lesions = [box((4, 4, 4), 4), np.zeros(SHAPE, bool)]
    found = examined(lesions, lesions, threshold=threshold, quantile=0.9995, smallest_ml=0.05)
    assert found.patients["clusters"].iloc[0] > 0
    limits = [*found.patients["threshold"], *found.controls["threshold"]]
    assert (len(set(limits[:2])) == 1) != everybody
    assert len(set(found.controls["threshold"])) == len(found.controls)  # nobody's own scores
