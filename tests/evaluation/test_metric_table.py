"""A new metric is one entry of the table of metrics: it is measured and shown everywhere."""

import shutil

import numpy as np
import pandas as pd
import pytest

from mri2pet.evaluation import image_metrics
from mri2pet.evaluation.configurations import configuration_table, pair_tests
from mri2pet.evaluation.contrast_tables import by_direction, contrast_table
from mri2pet.evaluation.image_metrics import METRICS, Metric, measure_visits, shown
from mri2pet.evaluation.image_tables import image_table
from mri2pet.files import write_tsv
from mri2pet.provenance.fingerprint import fingerprint
from mri2pet.reporting.contrast_figures import validation_figure
from mri2pet.reporting.views import table_view
from mri2pet.training.measures import measure_symbol

NOBODY = pd.DataFrame(columns=["dataset", "model", "metric", "unit", "mean", "sd"])
PEOPLE = ["a", "b", "c", "d"]


def worst(real, synthetic, mask, data_range):
    """Largest absolute error, as a share of the data range."""
    return float(np.abs(synthetic - real)[mask].max() / data_range)


@pytest.fixture
def worst_error(monkeypatch):
    entry = Metric("Worst", worst, "share of the range", higher_is_better=False, digits=2)
    monkeypatch.setitem(METRICS, entry.name, entry)
    return entry


def measured(scale, **columns):
    """Metrics of two models, of which the first is the better one, over four people."""
    rng = np.random.default_rng(0)
    real = rng.random((4, 12, 12, 12))
    visits = pd.DataFrame({"index": range(4), "subject": PEOPLE, "visit": "bl", **columns})
    mask = np.ones(real.shape[1:], bool)
    for name, offset in (("good", 0.1), ("poor", 0.4)):
        made = real + offset * rng.random((4, 1, 1, 1))
        table = measure_visits(visits.assign(group="CN"), real, made, mask, 0, scale)
        yield name, table


def uptake():
    tables = [table.assign(method=name) for name, table in measured("uptake", role="test")]
    return pd.concat(tables, ignore_index=True)


def shows(table, metric, whole=True):
    """Find the metric in a long table and in what the report makes of it."""
    assert metric.name in set(table["metric"])
    view = table_view("x", "title", "caption", table, {})
    place = [head[0] for head in view.heads].index(metric.name)
    assert view.heads[place][1:] == (metric.unit, "↓")
    cells = {row.label: row.cells[place] for row in view.rows}
    assert {label for label, cell in cells.items() if cell.best} == {"good"}
    assert len(cells["good"].value.split()[0].partition(".")[2]) == metric.digits
    assert metric.name + image_metrics.WHOLE in set(table["metric"]) or not whole


@pytest.mark.parametrize("system", ["gla_gan", "dual_glow"])
def test_a_new_metric_stands_in_the_tables_of_folds(worst_error, system):
    shows(image_table(uptake(), ["good", "poor"], NOBODY, system=system), worst_error)


def test_a_new_metric_stands_in_the_table_of_configurations_and_its_tests(worst_error):
    values = uptake()
    lpips = values[values["metric"] == "MAE"].assign(metric="LPIPS", unit="distance")
    values = pd.concat([values, lpips], ignore_index=True)
    models = {"good": "3D", "poor": "3D"}
    shows(configuration_table(values, models, NOBODY), worst_error)
    assert worst_error.name in set(pair_tests(values, list(models), NOBODY)["metric"])


def test_a_new_metric_stands_in_the_tables_and_curves_of_ixi(worst_error, tmp_path):
    paths = []
    for name, table in measured("standardised", split=["val", "test", "test", "test"]):
        paths.append(tmp_path / f"{name}/fold-0.tsv")
        write_tsv(paths[-1], table)
    values = by_direction(paths, {name: ["t2", "pd"] for name in ("good", "poor")})
    table = contrast_table(values, ["good", "poor"], NOBODY)
    shows(table[table["dataset"] == "T2-PD test"], worst_error, whole=False)
    names = [f"validation_{name.lower()}" for name in shown("ixi")]
    history = pd.DataFrame({"epoch": [1, 2], **{name: [1.0, 2.0] for name in names}})
    figure = validation_figure({"good": history}, {}, "title")
    assert len(figure.axes) == 3


def test_without_an_entry_the_papers_metrics_stand_alone():
    assert shown("gla_gan") == ["SSIM", "PSNR", "MAE"]
    assert shown("dual_glow") == ["CorCoef", "PSNR", "SSIM", "MAE"]
    assert shown("gan_anomaly") == ["SSIM", "PSNR", "LPIPS"]
    assert shown("ixi") == ["MAE", "PSNR"]
    assert set(METRICS) == {name for names in image_metrics.PRINTED.values() for name in names}


def test_tables_list_every_metric_in_both_scopes_but_lpips():
    whole = ["SSIM (whole volume)", "PSNR (whole volume)", "MAE (whole volume)"]
    assert image_metrics.listed("gla_gan") == ["SSIM", "PSNR", "MAE", *whole]
    assert image_metrics.listed("gan_anomaly") == ["SSIM", "PSNR", "LPIPS", *whole[:2]]
    assert image_metrics.unit_of(whole[0]) == image_metrics.unit_of("SSIM")
    assert not image_metrics.higher_is_better(whole[2])


def test_words_make_a_sentence():
    assert image_metrics.words(["SSIM", "PSNR", "MAE"]) == "SSIM, PSNR and MAE"
    assert image_metrics.words(["MAE", "PSNR"]) == "MAE and PSNR"
    assert image_metrics.words(["MAE"]) == "MAE"


@pytest.mark.parametrize(("scale", "peak"), [("uptake", 1.0), ("standardised", 4.0)])
def test_the_peak_of_the_psnr_is_that_of_the_scale(scale, peak):
    real = np.array([0.0, 4.0, 2.0, 2.0]).reshape(1, 1, 4)
    made = np.array([1.0, 4.0, 2.0, 1.0]).reshape(1, 1, 4)
    mask = np.ones(real.shape, bool)
    data_range = image_metrics.SCALES[scale].range_of(real)
    psnr = METRICS["PSNR"].function(real, made, mask, data_range)
    assert psnr == pytest.approx(10 * np.log10(peak**2 / 0.5))


ANEW = {  # script, what it reaches by name, and whether a new metric runs it again
    "metrics": ("image_metrics.py", (), True),
    "Table I": ("image_table.py", (), True),
    "training validated by PSNR": ("train.py", ({"measure": "psnr"},), True),
    "training validated by SSIM": ("train.py", ({},), False),
    "training without validation": ("train.py", (), False),
    "synthesis": ("synthesise.py", (), False),
    "LPIPS": ("lpips.py", (), False),
}


@pytest.mark.parametrize("case", ANEW)
def test_a_new_metric_runs_again_what_measures_or_shows_it(case, root, tmp_path):
    script, blocks, anew = ANEW[case]
    made = shutil.ignore_patterns("__pycache__")  # in which others may write meanwhile
    package = shutil.copytree(root / "src/mri2pet", tmp_path / "mri2pet", ignore=made)
    symbols = [measure_symbol(block) for block in blocks]
    marks = [fingerprint(root / "workflow/scripts" / script, package, symbols)]
    table = package / "evaluation/image_metrics.py"
    entry = '        Metric("PSNR", psnr, "dB", True),\n'
    assert entry in table.read_text()
    table.write_text(table.read_text().replace(entry, entry + entry.replace("PSNR", "Other")))
    marks.append(fingerprint(root / "workflow/scripts" / script, package, symbols))
    assert (marks[0] != marks[1]) == anew
