"""Tables of side information in the report, and how ages outside the training are marked."""

import numpy as np
import pandas as pd
import pytest

import fakes
from mri2pet.evaluation.regions import OWN_AGE, SET_AGE
from mri2pet.files import write_tsv
from mri2pet.reporting.age_figures import ages_figure, regions_figure
from mri2pet.reporting.figures import empty_figure, save
from mri2pet.reporting.side_tables import side_listings

AGES = [50, 60, 70, 80, 90]
LABELS = {"dual_glow_side": "With side information"}


def row(**changes):
    common = {"dataset": "Held-out visits", "method": "dual_glow_side", "unit": "correlation"}
    common |= {"mean": 0.7, "sd": 0.1, "n": 12, "low": 0.5, "high": 0.8}
    return common | changes


def test_tables_are_shown_with_intervals_and_chance(tmp_path):
    counterfactual = [
        row(metric="age told, correlation over regions"),
        row(metric="age told, change over the true one", mean=np.nan, low=np.nan, high=np.nan),
    ]
    probes = [
        row(dataset=source, method=method, metric=metric, unit=unit, mean=mean, chance=chance)
        | ({"low": 20.0, "high": 90.4} if unit == "percent" else {})
        for source, method in (("lower codes", "dual_glow_side"), ("MRI itself", "only_mri"))
        for metric, unit, mean, chance in (
            ("age", "correlation", 0.25, 0.0), ("sex", "percent", 62.4, 50.0),
        )
    ]  # fmt: skip
    write_tsv(tmp_path / "counterfactual.tsv", pd.DataFrame(counterfactual))
    write_tsv(tmp_path / "probes.tsv", pd.DataFrame(probes))
    paths = [tmp_path / "probes.tsv", tmp_path / "counterfactual.tsv", tmp_path / "table1.tsv"]
    would, hold = side_listings(paths, LABELS)
    assert would.table["Mean"].to_list() == ["0.70 [0.50, 0.80]", "n/a"]
    assert would.table["Model"].unique().tolist() == ["With side information"]
    assert hold.table["Age"].to_list() == ["0.25 [0.50, 0.80]", "0.25 [0.50, 0.80]", "0.00"]
    assert hold.table["Sex"].to_list() == ["62 [20, 90]", "62 [20, 90]", "50"]
    assert hold.table["Model"].to_list() == ["With side information", "Only MRI", "By chance"]
    assert "By chance" in hold.caption
    assert side_listings([], LABELS) == []


@pytest.mark.parametrize(
    ("trained", "starred"),
    [((60, 80), [50, 90]), ((40, 95), []), ((61.5, 79), [50, 60, 80, 90]), ((), [])],
)
def test_figure_6_stars_ages_outside(trained, starred):
    _, mask = fakes.atlas(16)
    affine = np.diag([11.25, 13.6, 11.25, 1])
    affine[:3, 3] = [-90, -126, -72]
    volumes = np.random.default_rng(0).uniform(size=(5, *mask.shape))
    figure = ages_figure(volumes, AGES, mask, mask, affine, "title", "simulated", trained)
    titles = [word for word in fakes.words_in(figure) if word.startswith("age ")]
    assert titles == [f"age {age}{'*' if age in starred else ''}" for age in AGES]
    note = figure._supxlabel.get_text()
    assert ("outside the training people's ages" in note) == bool(starred)
    assert note.endswith("simulated")


def told(outside):
    rows = []
    for number in range(4):
        person = {"subject": f"s{number}", "visit": "bl", "group": "CN", "region": "Cuneus_L"}
        person |= {"fold": number % 2, "method": "flow"}
        for age in AGES:
            value = 0.6 - 0.001 * age + 0.01 * number
            common = {"curve": SET_AGE, "age": float(age), "value": value}
            rows.append(person | common | {"outside": outside(number % 2, age)})
        for method in ("flow", "real_pet"):
            own = {"curve": OWN_AGE, "age": 65.0 + number, "value": 0.5, "outside": None}
            rows.append(person | own | {"method": method})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("outside", "solid"),
    [
        (lambda fold, age: age < 60 or age > 80, [60, 70, 80]),
        (lambda fold, age: age < 60 + 10 * fold or age > 80, [70, 80]),  # the folds differ
        (lambda fold, age: False, AGES),
        (lambda fold, age: True, []),
    ],
)
def test_figure_7_is_dashed_outside(outside, solid):
    figure = regions_figure(told(outside), ["Cuneus_L"], ["CN"], "Flow")
    drawn = [line for line in figure.axes[2].lines if line.get_linewidth() > 1]
    plain = [list(line.get_xdata()) for line in drawn if line.get_linestyle() == "-"]
    dashed = [list(line.get_xdata()) for line in drawn if line.get_linestyle() == "--"]
    assert plain == ([solid] if len(solid) > 1 else [])
    assert {age for piece in dashed for age in piece} >= set(AGES) - set(solid)
    assert not [piece for piece in dashed if set(piece) <= set(solid)]


def test_a_group_of_nobody_has_a_picture_that_says_so(tmp_path):
    figure = empty_figure("MCI: nobody of this group was held out", "simulated")
    save(figure, tmp_path / "synthesis_MCI.png")
    assert figure._suptitle.get_text().startswith("MCI: nobody")
    assert (tmp_path / "synthesis_MCI.png").stat().st_size > 3000
