"""Tables of IXI: over people, by direction and part of the split, beside the published values."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.evaluation.contrast_tables import contrast_table, measure_people
from mri2pet.evaluation.image_tables import COLUMNS, read_published
from mri2pet.evaluation.tissues import COPY, compare_tissues, direction, overlap
from mri2pet.evaluation.volume_metrics import UNITS

MODELS = ["t2_pd_g1", "t2_pd_g3", "pd_t2_g4"]


@pytest.fixture
def rows():
    subjects = [f"IXI00{n}" for n in range(5)]
    split = ["val", "val", "test", "test", "test"]
    return pd.DataFrame({"index": range(1, 6), "subject": subjects, "split": split})


@pytest.fixture
def values(rows):
    rng = np.random.default_rng(0)
    real = rng.normal(size=(6, 4, 4, 4))
    made = {"t2_pd_g1": 0.5, "t2_pd_g3": 0.1, COPY: 1.0}
    parts = [
        measure_people(
            rows, real, real[1:] + scale * rng.normal(size=real[1:].shape), name, "T2-PD"
        )
        for name, scale in made.items()
    ]
    parts += [
        measure_people(rows, real, real[1:] + rng.normal(size=real[1:].shape), name, "PD-T2")
        for name in ("pd_t2_g4", COPY)
    ]
    return pd.concat(parts, ignore_index=True)


def test_each_person_is_measured_against_their_own_volume(rows):
    real = np.arange(6.0)[:, None, None, None] + np.linspace(0, 1, 64).reshape(4, 4, 4)
    made = real[1:] + 0.25
    table = measure_people(rows, real, made, "m", "T2-PD")
    mae = table[table["metric"] == "MAE"]
    np.testing.assert_allclose(mae["value"], 0.25)
    psnr = table[table["metric"] == "PSNR"]["value"]
    np.testing.assert_allclose(psnr, 10 * np.log10(1 / 0.0625))
    assert mae["dataset"].tolist() == ["T2-PD validation"] * 2 + ["T2-PD test"] * 3


def test_the_table_is_over_people_with_the_copy_last(values, root):
    published = read_published(root / "resources/published/ixi.tsv", "ixi")
    table = contrast_table(values, MODELS, published)
    assert tuple(table.columns) == COLUMNS
    test = table[(table["dataset"] == "T2-PD test") & (table["metric"] == "PSNR")]
    assert test["method"].tolist() == ["t2_pd_g1", "t2_pd_g3", COPY]
    own = values[(values["dataset"] == "T2-PD test") & (values["metric"] == "PSNR")]
    for row in test.itertuples():
        expected = own.loc[own["method"] == row.method, "value"]
        assert row.n == 3
        assert row.mean == pytest.approx(expected.mean())
        assert row.sd == pytest.approx(expected.std(ddof=1))
    best = test.set_index("method")
    assert np.isnan(best.loc["t2_pd_g3", "p_value"])  # the best is compared with itself
    assert best.loc[COPY, "p_value"] < 0.05
    assert best.loc["t2_pd_g1", "published_mean"] == 28.054
    assert np.isnan(best.loc[COPY, "published_mean"])
    mae = table[(table["dataset"] == "T2-PD validation") & (table["metric"] == "MAE")]
    assert mae.set_index("method").loc["t2_pd_g3", "published_mean"] == 0.106
    other = table[table["dataset"] == "PD-T2 test"]
    assert set(other["method"]) == {"pd_t2_g4", COPY}


def test_every_published_value_belongs_to_a_row_that_can_be(root):
    published = read_published(root / "resources/published/ixi.tsv", "ixi")
    assert len(published) == 18
    assert set(published["unit"]) == set(UNITS.values())
    for row in published.itertuples():
        source, target = row.dataset.split()[0].split("-")
        assert row.model.startswith(f"{source}_{target}_".lower())
        assert direction(source.lower(), target.lower()) == row.dataset.split()[0]


def test_overlap_by_hand():
    one = np.array([1, 1, 1, 2, 0, 0])
    two = np.array([1, 1, 2, 2, 2, 0])
    assert overlap(one, two, [1]) == pytest.approx(2 * 2 / 5)
    assert overlap(one, two, [2]) == pytest.approx(2 * 1 / 4)
    assert np.isnan(overlap(one, two, [3]))


def test_tissues_are_compared_with_the_targets():
    labels = {
        "t2": np.array([1, 1, 2, 3]),
        "pd": np.array([1, 2, 2, 1]),
        "t2_pd_g3": np.array([1, 2, 1, 1]),
        "pd_t2_g3": np.array([1, 2, 2, 3]),
    }
    ways = {"t2_pd_g3": ["t2", "pd"], "pd_t2_g3": ["pd", "t2"]}
    table = compare_tissues(labels, ways, "IXI001")
    value = table.set_index(["dataset", "method", "metric"])["value"]
    assert value["T2-PD test", "t2_pd_g3", "Dice WM"] == pytest.approx(2 / 3)
    assert value["T2-PD test", "t2_pd_g3", "Dice GM and CSF"] == pytest.approx(4 / 5)
    assert value["T2-PD test", COPY, "Dice GM and CSF"] == pytest.approx(4 / 5)
    assert value["PD-T2 test", "pd_t2_g3", "Dice CSF"] == 1
    assert value["PD-T2 test", COPY, "Dice CSF"] == 0  # a PD has no such class
    assert len(table) == 2 * 2 + 2 * 3
