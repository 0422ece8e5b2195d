"""The report's sections on GAN-made PET, from a made-up run."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mri2pet.evaluation.configurations import SYSTEM, TEST_COLUMNS
from mri2pet.evaluation.image_metrics import shown
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.files import write_tsv
from mri2pet.reporting.gan_anomaly import sections

LABELS = {"semi3d_cycle_gan_mse": "Cycle-GAN (semi-3D)", "patch_cycle_gan_mse": "Cycle-GAN (patch)"}


@pytest.fixture
def results(tmp_path):
    """Files as they stand under results/gan_anomaly."""
    rows = [
        [
            "semi-3D",
            method,
            metric,
            "unit",
            0.5,
            0.1,
            8,
            np.nan,
            0.883,
            0.022,
            0.4,
            0.6,
            np.nan,
            np.nan,
        ]
        for metric in shown(SYSTEM)
        for method in LABELS
    ]
    write_tsv(tmp_path / "tables/table1.tsv", pd.DataFrame(rows, columns=list(COLUMNS)))
    pairs = [
        ["SSIM", "fraction", *LABELS, 8, -0.01, 0.0078, 0.0078, 0.0156],
        ["PSNR", "dB", *LABELS, 8, -0.01, 0.0312, 0.0078, 0.0624],
        ["LPIPS", "distance", *LABELS, 0, np.nan, np.nan, np.nan, np.nan],
    ]
    write_tsv(tmp_path / "tables/table1_tests.tsv", pd.DataFrame(pairs, columns=list(TEST_COLUMNS)))
    (tmp_path / "figures").mkdir()
    for name in ("example", "curves_patch_cycle_gan_mse", "clusters"):
        Image.new("RGB", (40, 30)).save(tmp_path / f"figures/{name}.png")
    return sorted(tmp_path.rglob("*.*"))


def test_sections_hold_table_tests_example_and_curves(results):
    pet, training = sections(results, LABELS)
    assert [row.label for row in pet.tables[0].rows] == list(LABELS.values())
    assert [head[2] for head in pet.tables[0].heads] == ["↑", "↑", "↓"]
    tests = pet.listings[0].table
    assert tests["p"].tolist() == ["0.0078", "0.031", "n/a"]  # no star by an uncorrected one
    assert tests["Corrected p"].tolist() == ["0.016*", "0.062", "n/a"]
    assert tests["Smallest p"].tolist() == ["0.0078", "0.0078", "n/a"]
    assert tests["Unit"].tolist() == ["fraction", "dB", "distance"]
    assert tests["First"].tolist() == ["Cycle-GAN (semi-3D)"] * 3
    assert [picture.title for picture in pet.figures] == ["Synthetic PET of a control (Figure 2)"]
    assert [p.title for p in training.figures] == ["Training of Cycle-GAN (patch)"]


def test_what_is_not_there_has_no_section():
    assert sections([], LABELS) == []
