"""The detector's figures and its section of the report, on made-up results."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.anomaly.detection import Ranked, detection_curve
from mri2pet.anomaly.detection_tables import detection_table
from mri2pet.files import write_tsv
from mri2pet.reporting.cluster_figures import Case, clusters_figure, detection_figure
from mri2pet.reporting.detector import sections
from mri2pet.reporting.figures import save

LABELS = {"real": "Real PET", "semi_3d": "Real and semi-3D"}
SHAPE = (14, 16, 12)
AFFINE = np.diag([6.0, 6.0, 6.0, 1.0])
AFFINE[:3, 3] = [-40, -50, -30]


@pytest.fixture
def curve():
    patients = [Ranked(4, (2,)), Ranked(3, ())]
    better = [Ranked(4, (1,)), Ranked(3, (3,))]
    curves = [detection_curve(patients, 5, "real"), detection_curve(better, 5, "semi_3d")]
    return pd.concat(curves, ignore_index=True)


def case(lesion=True):
    mri = np.random.default_rng(0).uniform(0, 1, SHAPE)
    ranks, mask = np.zeros(SHAPE, np.int16), np.zeros(SHAPE, bool)
    ranks[3:6, 3:6, 3:6], ranks[9:11, 9:11, 9:11] = 1, 2
    if lesion:
        mask[9:12, 9:12, 9:12] = True
    return Case("P01", mri, mask, [ranks, np.zeros(SHAPE, np.int16)], [(2,) if lesion else (), ()])


def test_curves_of_detectors_and_of_chance(curve):
    figure = detection_figure(curve, LABELS, "a note")
    (axis,) = figure.axes
    drawn = {line.get_label(): line.get_ydata().tolist() for line in axis.get_lines()}
    assert drawn["Real PET"] == [0, 0.5, 0.5, 0.5, 0.5]
    assert drawn["Real and semi-3D"] == [0.5, 0.5, 1, 1, 1]
    assert drawn["Real PET, clusters in random order"][0] == pytest.approx(1 / 8)


def test_clusters_are_cut_through_the_lesion():
    figure = clusters_figure([case(), case(False)], list(LABELS.values()), case().lesion, AFFINE)
    first = figure.axes[0]
    shown = [np.ma.asanyarray(image.get_array()) for image in first.get_images()]
    grey, green, red = shown
    assert grey.shape == SHAPE[1::-1]
    assert green.compressed().tolist() == [2] * 4 and not red.count()
    assert len(first.collections) == 1  # the lesion's outline
    without = figure.axes[4]  # no lesion known: through the first cluster, which is red
    grey, green, red = (np.ma.asanyarray(image.get_array()) for image in without.get_images())
    assert red.compressed().tolist() == [1] * 9 and not green.count()


def test_patient_without_clusters_is_drawn():
    empty = Case(
        "P02", case().mri, np.zeros(SHAPE, bool), [np.zeros(SHAPE, np.int16)] * 2, [(), ()]
    )
    assert clusters_figure([empty], list(LABELS.values()), case().lesion, AFFINE).axes


def test_section(tmp_path, curve):
    published = pd.DataFrame(columns=["model", "metric", "mean", "sd"])
    (tmp_path / "detector/real/fold-0").mkdir(parents=True)
    write_tsv(tmp_path / "detection.tsv", detection_table(curve, published))
    paths = [tmp_path / name for name in ("detection.png", "detector/real/fold-0/curve.png")]
    for path in paths:
        save(detection_figure(curve, LABELS), path)
    (section,) = sections([tmp_path / "detection.tsv", *paths], LABELS)
    assert [picture.title for picture in section.figures] == [
        "Detection curves (Figure 4)",
        "Training of the encoder: Real PET",
    ]
    (table,) = section.tables
    assert [row.label for row in table.rows] == [
        *("Real PET", "Real PET, random order"),
        *("Real and semi-3D", "Real and semi-3D, random order"),
    ]
    assert table.rows[2].cells[0].value == "1.000"
    assert sections([], LABELS) == []
