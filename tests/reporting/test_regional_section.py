"""The report's section on regional bias: figure and listings show the numbers of the table."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.evaluation.regional_bias import (
    BIAS,
    COLUMNS,
    CONTRAST,
    CORRELATION,
    EVERY,
    REAL,
    SLOPE,
)
from mri2pet.files import write_tsv
from mri2pet.reporting.figures import save
from mri2pet.reporting.html import SIMULATED_NOTE
from mri2pet.reporting.regional_bias import sections
from mri2pet.reporting.regional_figures import contrast_figure

LABELS = {"unet": "U-Net"}
REAL_CONTRAST = np.array([-0.2, -0.1, -0.05, 0.0])


@pytest.fixture
def table():
    rows = []
    for method, share in ((REAL, 1.0), ("unet", 0.5), ("mean_pet", 0.0)):
        for number, value in enumerate(share * REAL_CONTRAST):
            row = {"method": method, "metric": CONTRAST, "mean": value, "region": f"R{number}"}
            rows.append(row | {"by": "all", "level": "all", "n": 8})
        if method == REAL:
            continue
        for metric in (SLOPE, CORRELATION):
            row = {"method": method, "metric": metric, "mean": share, "region": EVERY, "n": 8}
            rows.append(
                row | {"by": "all", "level": "all", "low": share - 0.1, "high": share + 0.1}
            )
        for by, level in (("all", "all"), ("group", "AD"), ("site", "011")):
            row = {"method": method, "metric": BIAS, "mean": 0.0123, "region": EVERY, "n": 8}
            rows.append(row | {"by": by, "level": level})
    return pd.DataFrame(rows).reindex(columns=list(COLUMNS))


def test_a_panel_a_method_a_dot_a_region_and_the_line_of_the_table(table):
    figure = contrast_figure(table, LABELS, [["AD"], ["CN"]], "simulated cohort")
    panels = {axis.get_title(loc="left"): axis for axis in figure.axes if axis.get_visible()}
    assert set(panels) == {"U-Net", "Mean PET"}
    whole, dots, line = panels["U-Net"].lines
    assert whole.get_slope() == 1
    np.testing.assert_allclose(dots.get_xdata(), REAL_CONTRAST)
    np.testing.assert_allclose(dots.get_ydata(), 0.5 * REAL_CONTRAST)
    rise = np.diff(line.get_ydata()) / np.diff(line.get_xdata())
    assert rise == pytest.approx(0.5)
    assert [text.get_text() for text in panels["U-Net"].texts] == ["slope 0.50, r 0.50"]
    assert panels["U-Net"].get_xlim() == panels["U-Net"].get_ylim()
    assert "simulated cohort" in [text.get_text() for text in figure.texts]


def test_without_one_of_the_groups_the_figure_says_so(table):
    figure = contrast_figure(table[table["metric"] == BIAS], LABELS, [["AD"], ["CN"]])
    assert not figure.axes
    assert any("nobody of one of the groups" in text.get_text() for text in figure.texts)


def test_section_lists_what_is_kept_and_the_bias_by_group(table, tmp_path):
    (tmp_path / "figures").mkdir()
    paths = [tmp_path / "tables/regional_bias.tsv", tmp_path / "figures/regional_bias.png"]
    write_tsv(paths[0], table)
    save(contrast_figure(table, LABELS, [["AD"], ["CN"]]), paths[1])
    (section,) = sections(paths, LABELS, "regions", "Regional bias")
    kept, bias = (listing.table for listing in section.listings)
    assert kept.set_index("Method").loc["U-Net", "Slope"] == "0.50 [0.40, 0.60] (8)"
    assert list(bias.columns) == ["Method", "All", "AD"]  # sites are in the table alone
    assert bias.set_index("Method").loc["Mean PET", "AD"] == "12.3 (8)"
    assert len(section.figures) == 1
    assert sections(paths[:1], LABELS, "regions", "Regional bias") == []


def test_its_caption_says_that_the_cohort_is_simulated(root):
    assert SIMULATED_NOTE in (root / "workflow/report/regional_bias.rst").read_text()
