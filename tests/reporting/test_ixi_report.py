"""The report's section on IXI, and its figures."""

import numpy as np
import pandas as pd
import pytest

import fakes
from mri2pet.errors import InputError
from mri2pet.evaluation.contrast_tables import contrast_table
from mri2pet.evaluation.image_metrics import measure_visits
from mri2pet.evaluation.image_tables import read_published
from mri2pet.files import write_tsv
from mri2pet.reporting.contrast_figures import (
    edges,
    errors_figure,
    ordinary_person,
    validation_figure,
)
from mri2pet.reporting.figures import save
from mri2pet.reporting.html import Report, render
from mri2pet.reporting.ixi import sections

LABELS = {"t2_pd_g1": "G1", "t2_pd_g3": "G3"}


@pytest.fixture(scope="module")
def volumes():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 16, 16, 8)), rng.normal(size=(2, 16, 16, 8))


@pytest.fixture
def values(volumes):
    rows = pd.DataFrame(
        {"index": [0, 1], "subject": ["IXI002", "IXI012"], "split": ["val", "test"]}
    ).assign(visit="bl", group="HC")
    source, target = volumes
    made = {"t2_pd_g1": target + 0.3, "t2_pd_g3": target + 0.1, "copy": source}
    mask, words = np.ones(target.shape[1:], bool), {"val": "validation", "test": "test"}
    tables = [
        measure_visits(rows, target, each, mask, 0, "standardised").assign(method=name)
        for name, each in made.items()
    ]
    values = pd.concat(tables, ignore_index=True)
    return values.assign(dataset="T2-PD " + values["split"].map(words))


def history(epochs=5):
    epoch = np.arange(1, epochs + 1)
    psnr = 20 + np.minimum(epoch, 3) - 0.1 * epoch
    return pd.DataFrame({"epoch": epoch, "generator": 1 / epoch, "validation_mae": 0.3 / epoch,
                         "validation_psnr": psnr})  # fmt: skip


def test_the_validation_figure_marks_the_epoch_that_is_kept(tmp_path):
    figure = validation_figure(
        {"G1": history(), "G3": history(3)}, {"MAE": 0.5, "PSNR": 18.0}, "t", "n"
    )
    mae, psnr = figure.axes
    dots = [line for line in psnr.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in dots] == [3, 3]
    dashed = [line for line in mae.lines if line.get_linestyle() == "--"]
    assert dashed[0].get_ydata()[0] == 0.5
    named = [text.get_text() for text in figure.legends[0].get_texts()]  # beside the panels
    assert named == ["G1", "G3", "source copied"]
    save(figure, tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 10_000


def test_edges_are_those_within_slices():
    ramp = np.stack(np.meshgrid(np.arange(5.0), np.arange(6.0), np.arange(4.0), indexing="ij"))
    np.testing.assert_allclose(edges(3 * ramp[0] + 4 * ramp[1] + 100 * ramp[2]), 5)


def test_the_errors_figure_has_three_planes_of_every_model(volumes, tmp_path):
    source, target = volumes[0][0], volumes[1][0]
    affine = np.diag([15.0, 15, 15, 1])
    made = {"G1": target + 0.5, "G3": target}
    figure = errors_figure(source, target, made, affine, "T2 to PD", "simulated IXI")
    words = fakes.words_in(figure)
    assert {"source", "target", "synthesised", "squared error"} <= set(words)
    assert {"G1 MSE 0.250", "G3 MSE 0.000"} <= {word.replace("\n", " ") for word in words}
    pictures = [plane[0] for plane in fakes.planes_of(figure)]
    squared = [each.get_array() for each in pictures if each.get_cmap().name == "magma"][:3]
    for picture in squared:
        np.testing.assert_allclose(picture, 0.25)
    kinds = [each.get_cmap().name for each in pictures]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "gray": 12,
        "viridis": 9,
        "magma": 6,
    }
    save(figure, tmp_path / "x.png")


def test_the_case_is_the_median_person():
    table = pd.DataFrame(
        [("T2-PD test", "a", f"IXI00{n}", "MAE", value) for n, value in enumerate([5, 1, 3, 4])],
        columns=["dataset", "method", "subject", "metric", "value"],
    )
    assert ordinary_person(table, ["a"], "T2-PD test") == "IXI002"
    with pytest.raises(InputError, match="nobody"):
        ordinary_person(table, ["a"], "PD-T2 test")


def test_the_section_shows_tables_figures_and_training(values, tmp_path, root):
    published = read_published(root / "resources/published/ixi.tsv", "ixi")
    folder = tmp_path / "results/ixi"
    write_tsv(folder / "tables/synthesis.tsv", contrast_table(values, list(LABELS), published))
    paths = [folder / "tables/synthesis.tsv", folder / "tables/tissue.tsv"]
    for name in ("figures/validation_t2_pd.png", "figures/synthesis_t2_pd.png",
                 "models/t2_pd_g3/fold-0/curve.png"):  # fmt: skip
        paths.append(folder / name)
        save(validation_figure({"G3": history()}, {}, "t"), paths[-1])
    made = sections([path for path in paths if path.exists()], LABELS)
    assert [section.anchor for section in made] == ["ixi", "ixi-training"]
    assert [picture.title for picture in made[0].figures] == [
        "T2 to PD: validation over the epochs",
        "T2 to PD: squared errors and gradient differences",
    ]
    assert [table.title for table in made[0].tables] == [
        "IXI, T2 to PD validation: quality of the synthesised volume",
        "IXI, T2 to PD test: quality of the synthesised volume",
    ]
    assert [row.label for row in made[0].tables[1].rows] == ["G1", "G3", "Source image copied"]
    assert made[1].figures[0].title == "Training of G3, T2 to PD"
    page = render(Report("title", "lead", simulated={"adni": True}, sections=made))
    assert "28.054" in page
    assert "Source image copied" in page


def test_without_files_there_is_no_section():
    assert sections([], LABELS) == []
