"""The page of the default run's numbers says what its tables say."""

import importlib.util
import sys

import pandas as pd
import pytest

from mri2pet.files import write_tsv

ROWS = [
    ("Paired", "unet", "MAE", 0.0323456, 0.001, 8, 0.0301, 0.0352, 600),
    ("Paired", "unet", "gap closed", 54.2, 3.1, 8, 44.0, 61.0, 600),
    ("Paired", "mean_pet", "MAE", 0.0519, float("nan"), 8, float("nan"), float("nan"), None),
    ("Paired", "mean_pet", "gap closed", 0.0, 0.0, 8, float("nan"), float("nan"), None),
    ("Paired", "oracle", "MAE", 0.0151, 0.0005, 8, 0.0145, 0.0158, None),
    ("Paired", "oracle", "gap closed", 100.0, 0.0, 8, float("nan"), float("nan"), None),
]
COLUMNS = ["dataset", "method", "metric", "mean", "sd", "n", "low", "high", "steps"]


@pytest.fixture
def script(root, monkeypatch):
    spec = importlib.util.spec_from_file_location("default_run", root / "benchmarks/default_run.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "default_run", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def results(tmp_path):
    path = tmp_path / "results/gla_gan/tables/table1.tsv"
    path.parent.mkdir(parents=True)
    blank = dict.fromkeys(("unit", "p_value", "p_holm", "p_folds", "published_mean"))
    write_tsv(path, pd.DataFrame(ROWS, columns=COLUMNS).assign(**blank))
    return tmp_path / "results"


def test_each_method_is_a_line_and_each_metric_a_column(script, results, config):
    page = script.page(results, config, None)
    assert "| method | MAE | gap closed | steps | people |" in page
    assert ("| U-Net | 0.0323 ± 0.0010 (0.0301 to 0.0352) | 54 ± 3 (44 to 61) | 600 | 8 |") in page
    assert "| Mean PET | 0.0519 | 0 ± 0 |  | 8 |" in page
    assert "Of the gap U-Net closes 54%." in page
    assert "All people are simulated" in page


def test_what_the_run_did_not_make_is_left_out(script, results, config):
    page = script.page(results, config, results / "no_times.tsv")
    assert page.count("\n## ") == 1
    assert "DUAL-GLOW" not in page and "## Time" not in page
