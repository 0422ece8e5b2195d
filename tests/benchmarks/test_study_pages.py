"""The pages of studies say what their tables say, with the verdict that the intervals give."""

import importlib
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mri2pet.anomaly.chance import within
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.files import write_tsv

MOST = 10


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.1, 0.2, "holds here"), (-0.2, -0.1, "not here"), (-0.1, 0.1, "cannot be told")],
)
def test_verdicts_follow_the_interval(low, high, said):
    assert importlib.import_module("study_words").verdict(low, high) == said


def test_a_configuration_is_laid_over_the_default_one():
    made = importlib.import_module("study_words").laid_over(
        {"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"c": 3}, "d": [2], "e": None}
    )
    assert made == {"a": {"b": 1, "c": 3}, "d": [2], "e": None}


def long_table(rows):
    """Rows (method, metric, mean, low, high) as a long table."""
    keys = ["method", "metric", "mean", "low", "high"]
    table = pd.DataFrame(rows, columns=keys).assign(dataset="Paired", unit="", n=72, sd=np.nan)
    return table.reindex(columns=list(COLUMNS))


@pytest.fixture
def flows(tmp_path):
    """Tables of a run in which the flow with side information is good, and the other is not."""
    levels = (50, 80, 90, 95)
    held = [("dual_glow", f"coverage at {x}", x - 12.0, x - 15.0, x - 10.0) for x in levels]
    held += [("dual_glow_side", f"coverage at {x}", x - 4.9, x - 9.0, x + 1.0) for x in levels]
    for name, width, bits in (
        ("dual_glow", 0.2, 1.6),
        ("dual_glow_side", 0.1, 1.3),
        ("voxel_gaussian", 0.16, 1.5),
    ):
        held.append((name, "CRPS", width / 10, width / 10 - 0.001, width / 10 + 0.001))
        held.append((name, "width where 95 is held", width, width - 0.01, width + 0.01))
        held.append((name, "bits per voxel", bits, bits - 0.01, bits + 0.01))
    gaps = {"dual_glow": 2.0, "dual_glow_side": 40.0, "local_regression": 30.0}
    images = [(name, "gap closed", gap, gap - 5, gap + 5) for name, gap in gaps.items()]
    images += [("mean_pet", "gap closed", 0.0, np.nan, np.nan)]
    tables = {
        "coverage": held,
        "table1": images,
        "counterfactual": [
            ("dual_glow_side", "age told, correlation over regions", 0.7, 0.65, 0.75)
        ],
        "table2": [("dual_glow", "AUC", 0.9, 0.8, 0.95)],
        "cross_fitted": [("mean_pet", "AUC", 0.5, np.nan, np.nan)],
    }
    folder = tmp_path / "results/dual_glow/tables"
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        write_tsv(folder / f"{name}.tsv", long_table(rows))
    errors = {"mean_pet": 0.05, "local_regression": 0.047, "dual_glow": 0.051}
    errors["dual_glow_side"] = 0.0465
    rng, people = np.random.default_rng(0), [f"S{number}" for number in range(12)]
    own = rng.normal(0, 0.01, 12)  # what a person's errors by all methods share
    for name, error in errors.items():
        apart = rng.normal(0, 0.003 if name == "dual_glow" else 0.0005, 12)
        if name == "dual_glow_side":
            apart = rng.normal(0, 0.002, 12)
        rows = {"subject": people, "visit": "bl", "group": "CN", "fold": 0, "metric": "MAE"}
        values = error + own + apart - apart.mean()
        path = tmp_path / f"results/dual_glow/metrics/{name}/fold-0.tsv"
        write_tsv(path, pd.DataFrame(rows | {"unit": "x", "value": values}))
    return tmp_path / "results"


def test_the_page_of_flows_tells_what_holds(flows, tmp_path):
    script = importlib.import_module("dual_glow_study")
    config = importlib.import_module("study_words").configuration(script.STUDY)
    page = script.Study(flows, config).page(tmp_path / "none.tsv")
    lines = [line for line in page.splitlines() if line.startswith("- ")]

    def said(start):
        (line,) = [line for line in lines if line.startswith(f"- {start}")]
        return line

    assert "**not here**. 50%: 38 (35 to 40)" in said("Intervals of DUAL-GLOW hold")
    assert "**holds here**" in said("Intervals of DUAL-GLOW (side information) hold")
    narrow = [line for line in lines if line.startswith("- They are narrower")]
    assert ["**not here**" in narrow[0], "**holds here**" in narrow[1]] == [True, True]
    assert "**cannot be told**, 2 (-3 to 7)% of the gap" in said("DUAL-GLOW is nearer")
    assert "local regression: **not here**" in said("DUAL-GLOW is nearer")
    side = said("DUAL-GLOW (side information) is nearer")
    assert "**holds here**, 40" in side and "local regression: **cannot be told**" in side
    assert "**not here**. 0.0200 (0.0190 to 0.0210)" in said("Draws of DUAL-GLOW are nearer")
    assert "**holds here**, 0.70 (0.65 to 0.75)" in said("Told another age")
    assert "Mean PET 0.50." in said("AUC of AD against CN, learnt on synthetic PET")
    assert "72 people with MRI and PET, 3 folds" in page and "All people are simulated" in page


def detector_tables(folder, subjects, hits, controls=8, share=0.01):
    """Write what a detector has found: the rank of each patient's hit, or nothing."""
    folder.mkdir(parents=True)
    ill = pd.DataFrame({"subject": subjects, "visit": "bl", "lesion_ml": 5.0, "clusters": MOST})
    write_tsv(folder / "patients.tsv", ill.assign(hits=hits, threshold=3.0))
    names = [f"C{number}" for number in range(controls)]
    healthy = pd.DataFrame({"subject": names, "visit": "bl", "lesion_ml": np.nan, "clusters": 1})
    write_tsv(folder / "controls.tsv", healthy.assign(hits=None, threshold=3.0))
    rows = [(name, "bl", 1, 5.0, 0, "control") for name in names]
    rows += [
        (name, "bl", int(hit or 1), 9.0, int(hit is not None), "patient")
        for name, hit in zip(subjects, hits, strict=True)
    ]
    columns = ["subject", "visit", "rank", "excess", "hit", "role"]
    write_tsv(folder / "clusters.tsv", pd.DataFrame(rows, columns=columns))
    steps = {within(k): share for k in range(1, MOST + 1)}
    chance = [
        {"subject": s, "visit": "bl", "among": among, "other": other, "places": 9} | steps
        for s in subjects
        for among, others in (("controls", names), ("patients", [s]))
        for other in others
    ]
    write_tsv(folder / "chance.tsv", pd.DataFrame(chance))


def test_the_page_of_detection_tells_what_holds(tmp_path, monkeypatch):
    script = importlib.import_module("detection_study")
    words = importlib.import_module("study_words")
    config = words.configuration(script.STUDY)
    sets = config["gan_anomaly"]["detector"]["training_sets"]
    kept = {name: sets[name] for name in ("real", "semi_3d", "placebo")}
    config["gan_anomaly"]["detector"] |= {"training_sets": kept, "plain": {}}
    results = tmp_path / "results"
    subjects = [f"P{number:02}" for number in range(40)]
    depths = np.tile([0.1, 0.2, 0.3, 0.5], 10)
    ml = np.repeat([3.0, 8.0], 20)
    rows = {"subject": subjects, "visit": "bl", "stratum": 1, "depth": depths, "ml": ml}
    write_tsv(results / "simulated/truth/epilepsy_lesions.tsv", pd.DataFrame(rows))
    found = {  # deep lesions first; by synthetic PET all, by the placebo none
        "real": [None if d < 0.2 else "1" if d == 0.5 else "2" for d in depths],
        "semi_3d": ["1"] * 40,
        "placebo": [None] * 40,
    }
    for name, hits in found.items():
        detector_tables(results / f"gan_anomaly/detector/{name}", subjects, hits)
    write_tsv(
        results / "gan_anomaly/tables/spread.tsv",
        long_table([("semi_3d", "sd", 0.4, np.nan, np.nan)]),
    )
    page = script.Study(results, config).page(tmp_path / "none.tsv")
    lines = [line for line in page.splitlines() if line.startswith("- ")]
    assert (
        "20% and more: **holds here**. It finds 1.00" in lines[0] and "of 30 patients" in lines[0]
    )
    assert "at least 95% of patients: **holds here**, 1.00" in lines[1]
    assert "of 10 patients" in lines[1]
    assert "finds more than real PET alone: **holds here**" in lines[2]
    assert "sensitivities +0.25" in lines[2]
    assert "copies of Mean PET do: **holds here**" in lines[3] and "+1.00" in lines[3]
    cells = r"\| Real PET \| 0\.00 [^|]*\| 1\.00 [^|]*\| 1\.00 [^|]*\| 1\.00 [^|]*\|"
    assert len(re.findall(cells, page)) == 2 and "nan" not in page
    assert page.count("### Small lesions (3.0 to 3.0 ml)") == 2


def test_pictures_are_small(tmp_path):
    source = tmp_path / "big.png"
    noise = np.random.default_rng(0).integers(0, 255, (600, 3000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(source)
    importlib.import_module("study_words").shrink(source, tmp_path / "images/small.png")
    assert Image.open(tmp_path / "images/small.png").size == (1200, 240)
