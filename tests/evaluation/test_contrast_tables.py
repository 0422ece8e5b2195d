"""Tables of IXI: over people, by direction and part of the split, beside the published values."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.evaluation.contrast_tables import by_direction, contrast_table, copy_name
from mri2pet.evaluation.image_metrics import measure_visits, shown, unit_of
from mri2pet.evaluation.image_tables import COLUMNS, read_published
from mri2pet.evaluation.tissues import COPY, compare_tissues, direction, overlap
from mri2pet.files import write_tsv

MODELS = ["t2_pd_g1", "t2_pd_g3", "pd_t2_g4"]


WAYS = {model: model.split("_")[:2] for model in MODELS}
EVERYWHERE = np.ones((4, 4, 4), bool)


@pytest.fixture
def rows():
    subjects = [f"IXI00{n}" for n in range(6)]
    split = ["train", "val", "val", "test", "test", "test"]
    table = pd.DataFrame({"index": range(6), "subject": subjects, "split": split})
    return table.assign(visit="bl", group="HC")


@pytest.fixture
def values(rows, tmp_path):
    """Metrics of models, of held-out people, and of copies, of the whole dataset."""
    rng = np.random.default_rng(0)
    real = rng.normal(size=(6, 4, 4, 4))
    scales = {"t2_pd_g1": 0.5, "t2_pd_g3": 0.1, "copy_t2_pd": 1.0}
    scales |= {"pd_t2_g4": 1.0, "copy_pd_t2": 1.0}
    paths = []
    for name, scale in scales.items():
        made = real + scale * rng.normal(size=real.shape)
        given = (rows, made) if name.startswith("copy") else (rows[1:], made[1:])
        paths.append(tmp_path / f"{name}/fold-0.tsv")
        table = measure_visits(given[0], real, given[1], EVERYWHERE, 0, "standardised")
        write_tsv(paths[-1], table)
    return by_direction(paths, WAYS)


def test_each_person_is_measured_against_their_own_volume(rows):
    real = np.arange(6.0)[:, None, None, None] + np.linspace(0, 1, 64).reshape(4, 4, 4)
    table = measure_visits(rows[1:], real, real[1:] + 0.25, EVERYWHERE, 0, "standardised")
    mae = table[table["metric"] == "MAE"]
    np.testing.assert_allclose(mae["value"], 0.25)
    psnr = table[table["metric"] == "PSNR"]["value"]
    np.testing.assert_allclose(psnr, 10 * np.log10(1 / 0.0625))
    assert mae["split"].tolist() == ["val"] * 2 + ["test"] * 3
    assert table["metric"].tolist() == ["MAE", "PSNR"] * 5
    assert set(mae["unit"]) == {"standardised intensity"}


def test_people_to_train_on_are_in_no_table(values):
    assert "IXI000" not in set(values["subject"])
    for (dataset, _), own in values.groupby(["dataset", "method"]):
        assert own["subject"].nunique() == (3 if dataset.endswith("test") else 2)


def test_copies_are_one_method_in_every_direction(values):
    assert copy_name("t2", "pd") == "copy_t2_pd"
    copies = values[values["method"] == COPY]
    words = [f"{way} {part}" for way in ("T2-PD", "PD-T2") for part in ("validation", "test")]
    assert copies["dataset"].unique().tolist() == words


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
    assert set(published["unit"]) == {unit_of(name, "standardised") for name in shown("ixi")}
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
