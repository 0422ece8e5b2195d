"""Intervals of repeated trainings and of each voxel by itself, and the table of both."""

import math

import numpy as np
import pandas as pd
import pytest

from mri2pet.errors import InputError
from mri2pet.evaluation.coverage_tables import coverage_table, read_intervals
from mri2pet.evaluation.ensembles import measure_ensemble
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.evaluation.intervals import NOMINAL
from mri2pet.evaluation.visit_intervals import VisitIntervals
from mri2pet.evaluation.voxelwise import BINS, FEWEST, Voxelwise
from mri2pet.files import write_tsv

SHAPE = (12, 12, 12)
MASK = np.ones(SHAPE, bool)
ERROR, SPREAD = 0.06, 0.02  # of the mean of trainings, and between them


def visits(first, count, role="test"):
    rows = [
        {"index": first + i, "subject": f"{role}{i}", "visit": "bl", "group": "CN", "role": role}
        for i in range(count)
    ]
    return pd.DataFrame(rows, columns=["index", "subject", "visit", "group", "role"])


def ensemble(held_people, tested_people=8, trainings=3):
    rng = np.random.default_rng(0)
    count = held_people + tested_people
    truth = rng.uniform(0.3, 0.7, (count, *SHAPE))
    centre = truth + ERROR * rng.normal(size=truth.shape)
    made = [centre + SPREAD * rng.normal(size=truth.shape) for _ in range(trainings)]
    held = visits(0, held_people, "held")
    tested = visits(held_people, tested_people)
    return measure_ensemble(
        *(0, truth, MASK, None),
        held=(held, [volumes[:held_people] for volumes in made]),
        tested=(tested, [volumes[held_people:] for volumes in made]),
    )


def share_held(tables, share):
    held = tables[0]
    return held[(held["nominal"] == share) & (held["chosen"] == 1)]["coverage"].mean()


def test_people_held_out_widen_what_trainings_alone_are_too_sure_of():
    alone, told = ensemble(0), ensemble(2)
    assert alone[1]["temperatures"] == [1.0]
    assert share_held(alone[0], 0.95) < 0.6
    expected = math.sqrt(ERROR**2 + SPREAD**2 / 3) / SPREAD
    assert told[1]["temperatures"][0] == pytest.approx(expected, rel=0.03)
    assert not told[1]["conformal"]
    assert share_held(told[0], 0.95) > share_held(alone[0], 0.95) + 0.25


def test_enough_people_make_the_share_hold():
    # sd of three trainings is itself uncertain: a Gaussian of it holds too little at 95%
    tables, calibration = ensemble(19)
    assert calibration["conformal"]
    assert calibration["factors"]["0.95"] > 1
    for share in NOMINAL:
        assert share_held(tables, share) >= share - 0.01


def test_the_table_tells_both_factors_where_people_are_held_out_for_them():
    """Where nobody is, both are 1 and are told once."""
    told = {}
    for people in (2, 19):
        (held, scores), _ = ensemble(people, tested_people=12)
        named = (part.assign(method="unet") for part in (held, scores))
        told[people] = coverage_table(*named, ["unet"]).set_index("metric")["mean"]
    assert not [metric for metric in told[2].index if "average" in metric]
    for share in (50, 80, 90, 95):
        average = told[19][f"coverage at {share}, on average"]
        assert average == pytest.approx(share, abs=2.5)
        assert average < told[19][f"coverage at {share}"]
        widths = (told[19][f"width at {share}{words}"] for words in (", on average", ""))
        assert next(widths) < next(widths)


def test_rows_of_an_mri_alone_are_not_tested():
    rng = np.random.default_rng(0)
    truth = rng.uniform(size=(3, *SHAPE))
    rows = pd.concat([visits(0, 2), visits(2, 1, "mri_only")], ignore_index=True)
    made = [truth + 0.1 * rng.normal(size=truth.shape) for _ in range(2)]
    empty = visits(0, 0, "held")
    none = [volumes[:0] for volumes in made]
    (held, scores), _ = measure_ensemble(
        0, truth, MASK, None, held=(empty, none), tested=(rows, made)
    )
    assert set(held["subject"]) == set(scores["subject"]) == {"test0", "test1"}


def voxelwise(student, training=6, tested=60):
    rng = np.random.default_rng(0)
    voxels = Voxelwise.of(rng.normal(0.5, 0.1, (training, *SHAPE)), student)
    found = VisitIntervals(0)
    for number in range(tested):
        real = rng.normal(0.5, 0.1, SHAPE)
        key = {"subject": f"s{number}", "visit": "bl", "group": "CN"}
        found.test(key, real[MASK], *voxels.interval(MASK), voxels.scores(real, MASK, 1))
    return found.tables()


def test_students_t_holds_what_it_says_and_the_gaussian_less():
    gaussian, student = voxelwise(False), voxelwise(True)
    for share in NOMINAL:
        assert share_held(student, share) == pytest.approx(share, abs=0.02)
    assert share_held(gaussian, 0.95) < 0.92
    bits = [tables[1].groupby("metric")["value"].mean() for tables in (gaussian, student)]
    assert bits[1]["bits per voxel"] < bits[0]["bits per voxel"]


def test_bits_of_a_known_distribution_are_its_entropy():
    # many training visits: the entropy of N(0, .1) in grey levels
    bits = voxelwise(False, training=400, tested=5)[1]
    own = bits[bits["metric"] == "bits per voxel"]["value"].mean()
    entropy = math.log2(0.1 * BINS * math.sqrt(2 * math.pi * math.e))
    assert own == pytest.approx(entropy, abs=0.02)


def test_gaps_of_training_visits_do_not_count():
    volumes = np.full((4, *SHAPE), 0.5)
    volumes[:, 0] = np.array([0.2, 0.4, 0.0, 0.0])[:, None, None]
    seen = np.ones(volumes.shape, bool)
    seen[2:, 0] = False
    voxels = Voxelwise.of(volumes, False, seen)
    assert voxels.mean[0].mean() == pytest.approx(0.3)
    assert voxels.variance[0].mean() == pytest.approx(0.02)
    with pytest.raises(InputError, match="2 training visits are too few"):
        Voxelwise.of(volumes[:2], False)


def test_table_compares_widths_at_equal_coverage():
    held, scores = voxelwise(False, tested=12)
    wide = held.assign(mean_width=2 * held["mean_width"], method="dual_glow")
    both = pd.concat([wide, held.assign(method="voxel_gaussian")])
    named = pd.concat([scores.assign(method=name) for name in ("dual_glow", "voxel_gaussian")])
    table = coverage_table(both, named, ["dual_glow"])
    assert list(table.columns) == list(COLUMNS)
    values = table.set_index(["method", "metric"])
    for share in (50, 95):
        first, second = (
            values.loc[(name, f"width where {share} is held")]
            for name in ("dual_glow", "voxel_gaussian")
        )
        assert first["mean"] == pytest.approx(2 * second["mean"])
        assert first["low"] < first["mean"] < first["high"]
    row = values.loc[("dual_glow", "coverage at 95")]
    assert row["unit"] == "percent"
    assert row["mean"] == pytest.approx(100 * share_held((held,), 0.95))
    assert row["n"] == 12
    # of equal scores there is no difference to test
    assert np.isnan(values.loc[("voxel_gaussian", "CRPS"), "p_value"])


def test_table_refuses_methods_of_other_people():
    held, scores = voxelwise(False, tested=3)
    fewer = held[held["subject"] != "s1"].assign(method="dual_glow")
    both = pd.concat([fewer, held.assign(method="voxel_gaussian")])
    with pytest.raises(InputError, match="subject s1"):
        coverage_table(both, scores.assign(method="dual_glow"), ["dual_glow"])


def test_voxels_of_too_few_people_have_no_row(tmp_path):
    """Their tables are empty, and are read beside those of a model."""
    paths = []
    for name in ("rectified_flow", "voxel_gaussian"):
        held, scores = voxelwise(False, tested=3)
        if name == "voxel_gaussian":
            held, scores = VisitIntervals(0).tables()
        folder = tmp_path / f"uncertainty/{name}/fold-0"
        write_tsv(folder / "coverage.tsv", held)
        write_tsv(folder / "scores.tsv", scores)
        paths.append(folder)
    tables = (read_intervals([each / f"{n}.tsv" for each in paths]) for n in ("coverage", "scores"))
    table = coverage_table(*tables, ["rectified_flow"])
    assert set(table["method"]) == {"rectified_flow"}
    assert table.set_index("metric").loc["coverage at 95", "n"] == 3
    with pytest.raises(InputError, match="too few"):
        Voxelwise.of(np.zeros((FEWEST - 1, *SHAPE)), False)
