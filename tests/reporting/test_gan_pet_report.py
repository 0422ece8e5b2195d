"""The report's sections on GAN-made PET, from a made-up run."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fakes
from mri2pet.evaluation.configurations import SYSTEM, TEST_COLUMNS
from mri2pet.evaluation.image_metrics import shown
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.files import write_tsv
from mri2pet.reporting.figures import save
from mri2pet.reporting.gan_anomaly import example_figure, sections

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


def test_the_example_shows_mri_models_and_real_pet_on_one_scale(tmp_path):
    fakes.make_run(tmp_path)
    data = fakes.read_dataset(tmp_path)
    made = {label: data["pet"][0] * 0.9 for label in LABELS.values()}
    figure = example_figure(
        data["mri"][0], made, data["pet"][0], data["mask"], data["affine"], "EPI001 bl"
    )
    panels = [axis for axis in figure.axes if axis.images]
    assert len(panels) == 3 * 4
    assert [axis.get_title().replace("\n", " ") for axis in panels[:4]] == [
        "MRI",
        *LABELS.values(),
        "real PET",
    ]
    limits = {axis.images[0].get_clim() for axis in panels[1:4]}
    assert len(limits) == 1
    save(figure, tmp_path / "example.png")
    assert (tmp_path / "example.png").stat().st_size > 10_000
