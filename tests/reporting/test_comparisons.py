"""Ablation bars and confusion matrices show the numbers they were given, and the page has them."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.errors import InputError
from mri2pet.evaluation.classification import METRICS
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.files import write_tsv
from mri2pet.reporting.comparisons import ablation_figure, confusion_figure
from mri2pet.reporting.figures import save
from mri2pet.reporting.html import SIMULATED_NOTE, Report, render
from mri2pet.reporting.sections import ablation_section, three_way_section

LABELS = {"gla_gan": "K = 4", "k2": "K = 2", "lobes": "AAL lobes"}


@pytest.fixture
def table():
    rows = [("Paired", method, "SSIM", "percent", 90.0, 1.0, 9, *[np.nan] * 7) for method in LABELS]
    for place, dataset in enumerate(("Paired", "Complete")):
        for number, method in enumerate(LABELS):
            for rank, metric in enumerate(METRICS):
                mean = (number + 1) / 10 + rank / 100 + place / 1000
                sd = np.nan if metric == "AUC" else 0.9
                row = (
                    dataset,
                    method,
                    metric,
                    "fraction",
                    mean,
                    sd,
                    9,
                    0.01,
                    *[np.nan] * 4,
                    0.02,
                    np.nan,
                )
                rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_one_group_a_metric_one_bar_a_variant_and_a_panel_a_dataset(table):
    figure = ablation_figure(table, LABELS, "Title", "simulated cohort")
    panels = figure.axes
    assert [panel.get_title(loc="left") for panel in panels] == ["Paired", "Complete"]
    for place, panel in enumerate(panels):
        bars = [box for box in panel.containers if hasattr(box, "patches")]
        heights = [[bar.get_height() for bar in box] for box in bars]
        expected = [
            [(number + 1) / 10 + rank / 100 + place / 1000 for rank in range(len(METRICS))]
            for number in range(3)
        ]
        np.testing.assert_allclose(heights, expected)
        centres = [[bar.get_x() + bar.get_width() / 2 for bar in box] for box in bars]
        np.testing.assert_array_equal(np.rint(centres), [range(len(METRICS))] * 3)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["K = 4 (base)", "K = 2", "AAL lobes"]
    assert "simulated cohort" in [text.get_text() for text in figure.texts]


def test_whiskers_end_where_the_metric_ends(table):
    panel = ablation_figure(table, LABELS, "Title").axes[0]
    ends = np.concatenate(
        [
            np.concatenate([line.ravel() for line in box.errorbar[2][0].get_segments()])
            for box in panel.containers
            if hasattr(box, "errorbar") and hasattr(box, "patches")
        ]
    )[1::2]
    assert ends.max() <= 1
    low = sorted(set(np.round(ends[ends < 0], 3)))
    assert low == [-0.76, -0.66, -0.56]  # the MCC alone may be negative


def test_a_variant_without_rows_is_named(table):
    with pytest.raises(InputError, match="no row of k8"):
        ablation_figure(table, {**LABELS, "k8": "K = 8"}, "Title")


def test_confusion_is_drawn_as_shares_of_the_true_group():
    counts = np.array([[3, 1, 0], [0, 0, 0], [1, 0, 1]])
    figure = confusion_figure(
        {"Paired": {"GLA-GAN": counts}, "Complete": {"GLA-GAN": counts, "Only MRI": counts.T}},
        ["CN", "MCI", "AD"],
        "Title",
    )
    panels = {axis.get_title(): axis for axis in figure.axes if axis.get_visible()}
    assert set(panels) == {"GLA-GAN", "Only MRI"}
    shown = panels["GLA-GAN"].images[0].get_array()
    np.testing.assert_allclose(shown, [[0.75, 0.25, 0], [0, 0, 0], [0.5, 0, 0.5]])
    assert [tick.get_text() for tick in panels["GLA-GAN"].get_yticklabels()] == ["CN", "MCI", "AD"]
    texts = [text.get_text() for text in panels["GLA-GAN"].texts]
    assert texts[:3] == ["75%\n(3)", "25%\n(1)", "0%\n(0)"]


def test_page_shows_the_sections_only_when_they_are_there(table, tmp_path):
    write_tsv(tmp_path / "table.tsv", table)
    save(ablation_figure(table, LABELS, "Title"), tmp_path / "figure.png")
    paths = tmp_path / "table.tsv", tmp_path / "figure.png"
    report = Report(title="T", lead="L", simulated={"adni": True})
    bare = render(report)
    assert "Ablation" not in bare
    assert "Three-way" not in bare
    report.sections = [
        ablation_section("patches", *paths, LABELS),
        three_way_section(*paths, LABELS),
    ]
    page = render(report)
    for anchor in ("ablation-patches", "three-way"):
        assert f'href="#{anchor}"' in page
        parts = ("", "-paired-image-quality", "-paired", "-complete")
        for place in (anchor + part for part in parts):
            assert page.count(f'id="{place}"') == 1
    assert page.count(SIMULATED_NOTE) == bare.count(SIMULATED_NOTE) == 1
    assert "AAL lobes" in page
    assert "<small>paper" not in page  # nothing of it is printed, so nothing is compared
    assert "0.100 ± 0.900*" in page


def test_captions_of_the_snakemake_report_say_that_the_cohort_is_simulated(root):
    for name in ("ablation_table", "figure_ablation", "three_way"):
        assert SIMULATED_NOTE in (root / f"workflow/report/{name}.rst").read_text()
