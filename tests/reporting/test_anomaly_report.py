"""The detectors' figures and their section of the report, on made-up results."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import fakes
from mri2pet.anomaly.detection import CURVE_COLUMNS
from mri2pet.anomaly.detection_tables import AREA, FIRST, SENSITIVITY, SPECIFICITY, TESTS
from mri2pet.anomaly.free_response import COLUMNS as FREE_COLUMNS
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.files import write_tsv
from mri2pet.reporting.cluster_figures import Case, clusters_figure
from mri2pet.reporting.detection_figures import detection_figure, free_response_figure
from mri2pet.reporting.detection_words import ABOVE, APART, BELOW, UNKNOWN, lead, verdict
from mri2pet.reporting.detector import sections
from mri2pet.reporting.figures import save
from mri2pet.reporting.html import Listing, Report, Section, render

LABELS = {"real": "Real PET", "semi_3d": "Real and semi-3D"}
SHAPE = (14, 16, 12)
AFFINE = np.diag([6.0, 6.0, 6.0, 1.0])
AFFINE[:3, 3] = [-40, -50, -30]


@pytest.fixture
def curve():
    rows = [
        (name, ranking, k, value, low, high, 4)
        for name, step in (("real", 0.1), ("semi_3d", 0.2))
        for ranking, level in (("score", 0.4), ("chance", 0.05), ("shuffled", 0.2))
        for k in range(1, 4)
        for value, low, high in [(level + step * k, level, 1.0)]
    ]
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS))


@pytest.fixture
def free():
    rows = [
        ("real", ranking, rate, share * rate, 0.0, 1.0, 4, 8)
        for ranking, share in (("score", 0.5), ("chance", 0.1))
        for rate in (0, 0.5, 1, 2)
    ]
    return pd.DataFrame(rows, columns=list(FREE_COLUMNS))


def table(areas, patients=40):
    """The rows that a section needs, areas by method and dataset: mean, low and high."""
    rows = []
    for (method, dataset), (mean, low, high) in areas.items():
        for metric in (SENSITIVITY, FIRST, AREA):
            values = {"mean": mean, "low": low, "high": high, "n": patients}
            rows.append({"dataset": dataset, "method": method, "metric": metric} | values)
    rows.append({"dataset": "Held-out controls", "method": "real", "metric": SPECIFICITY})
    rows[-1] |= {"mean": 0.5, "low": 0.2, "high": 0.8, "n": 8}
    return pd.DataFrame(rows).reindex(columns=list(COLUMNS))


def areas(own, chance, name="real"):
    return {(name, "Patients"): own, (f"chance_{name}", "Held-out controls"): chance}


@pytest.mark.parametrize(
    "own, chance, expected",
    [
        ((0.5, 0.3, 0.7), (0.1, 0.05, 0.2), ABOVE),
        ((0.5, 0.2, 0.7), (0.1, 0.05, 0.2), APART),  # they touch
        ((0.3, 0.0, 0.6), (0.1, 0.05, 0.2), APART),
        ((0.01, 0.0, 0.04), (0.1, 0.05, 0.2), BELOW),
        ((0.5, np.nan, np.nan), (0.1, 0.05, 0.2), UNKNOWN),
        ((0.5, 0.3, 0.7), (0.1, np.nan, np.nan), UNKNOWN),
    ],
)
def test_above_chance_are_intervals_that_lie_apart(own, chance, expected):
    assert verdict(table(areas(own, chance)), "real") == expected


def test_other_rows_of_chance_do_not_decide():
    """Not the shuffle, and not lesions moved in the patients."""
    rows = areas((0.5, 0.3, 0.7), (0.1, 0.05, 0.2))
    rows["chance_real", "Patients, away from the lesion"] = (0.6, 0.5, 0.7)
    rows["shuffled_real", "Patients"] = (0.6, 0.5, 0.7)
    assert verdict(table(rows), "real") == ABOVE


def test_the_first_sentence_names_each_detector_where_it_belongs():
    rows = areas((0.5, 0.3, 0.7), (0.1, 0.0, 0.2)) | areas(
        (0.2, 0.1, 0.3), (0.1, 0.0, 0.2), "semi_3d"
    )
    said = lead(table(rows), LABELS)
    assert said.startswith("Above chance in space: Real PET.")
    assert "Not told apart from chance in space: Real and semi-3D." in said
    assert "nothing can be told" not in said


@pytest.mark.parametrize(
    "patients, told", [(1, "0% to 98%"), (4, "7% to 93%"), (10, "19% to 81%"), (20, None)]
)
def test_few_patients_tell_nothing(patients, told):
    said = lead(table(areas((0.25, 0.0, 1.0), (0.1, 0.0, 0.2)), patients), LABELS)
    assert said.startswith("Not told apart from chance in space: Real PET.")
    few = f"With {patients} patient{'s' * (patients > 1)} nothing can be told" in said
    assert few == (told is not None)
    assert told is None or told in said


def test_the_section_begins_with_its_sentence():
    section = Section("a", "A", [], listings=[Listing("L", "C", pd.DataFrame({"x": [1]}))])
    before = render(Report("T", "L", {"adni": False}, sections=[section]))
    after = render(Report("T", "L", {"adni": False}, sections=[replace(section, lead="Above.")]))
    assert "<p><strong>" not in before
    assert after.index('<h2 id="a">') < after.index("Above.") < after.index("<h3>L</h3>")


def case(lesion=True):
    mri = np.random.default_rng(0).uniform(0, 1, SHAPE)
    ranks, mask = np.zeros(SHAPE, np.int16), np.zeros(SHAPE, bool)
    ranks[3:6, 3:6, 3:6], ranks[9:11, 9:11, 9:11] = 1, 2
    if lesion:
        mask[9:12, 9:12, 9:12] = True
    return Case("P01", mri, mask, [ranks, np.zeros(SHAPE, np.int16)], [(2,) if lesion else (), ()])


def test_curves_of_detectors_beside_chance_and_shuffle(curve):
    figure = detection_figure(curve, LABELS, "a note")
    assert [axis.get_title(loc="left") for axis in figure.axes] == list(LABELS.values())
    for axis, step in zip(figure.axes, (0.1, 0.2), strict=True):
        drawn = {line.get_label(): line.get_ydata().tolist() for line in axis.get_lines()}
        assert drawn["clusters as ranked"] == pytest.approx([0.4 + step * k for k in (1, 2, 3)])
        chance = drawn["chance: lesions moved over held-out controls"]
        assert chance == pytest.approx([0.05 + step * k for k in (1, 2, 3)])
        assert len(drawn) == 3 and len(axis.collections) == 2  # intervals of the first two


def test_intervals_that_are_missing_are_not_drawn(curve):
    figure = detection_figure(curve.assign(low=np.nan), LABELS)
    assert not figure.axes[0].collections


def test_free_response_curves(free):
    figure = free_response_figure(free, {"real": "Real PET"})
    (axis,) = figure.axes
    line, chance = axis.get_lines()
    assert line.get_xdata().tolist() == chance.get_xdata().tolist() == [0, 0.5, 1, 2]
    assert line.get_ydata().tolist() == [0, 0.25, 0.5, 1]
    assert chance.get_ydata().tolist() == [0, 0.05, 0.1, 0.2] and chance.get_linestyle() == "--"


def found_in(overlays):
    """The ranks drawn in reds and those in greens."""
    ranks = (set(), set())
    for image in overlays:
        red, green, _, _ = image.get_cmap()(0.0)
        ranks[int(green > red)].update(np.ma.compressed(image.get_array()).astype(int).tolist())
    return ranks


def test_clusters_are_cut_through_the_lesion():
    cases = [case(), case(False)]
    figure = clusters_figure(cases, list(LABELS.values()), np.ones(SHAPE, bool), AFFINE)
    planes = fakes.planes_of(figure)
    slices = [plane for plane in planes if plane[0].get_cmap().name == "gray"]
    assert len(slices) == 2 * 2 * len(LABELS)  # two planes of each patient and detector
    first, unknown = slices[1], slices[2 * len(LABELS) + 1]  # axial, of the first detector
    false, met = found_in(first[1:])
    assert (false, met) == (set(), {2})  # the second cluster, which meets the lesion
    assert found_in(unknown[1:]) == ({1}, set())  # no lesion known: through the first cluster
    glass = [plane for plane in planes if plane not in slices]
    assert len(glass) == 2 * len(LABELS) - 2  # the second detector has found nothing
    outlined = [axis for axis in figure.axes if axis.collections]
    assert len(outlined) == 3 * len(LABELS)  # slices and glass of the patient with a lesion
    words = fakes.words_in(figure)
    assert {*LABELS.values(), "coronal", "axial", "L", "R"} <= {w.replace("\n", " ") for w in words}


def test_patient_without_clusters_is_drawn():
    empty = Case(
        "P02", case().mri, np.zeros(SHAPE, bool), [np.zeros(SHAPE, np.int16)] * 2, [(), ()]
    )
    assert clusters_figure([empty], list(LABELS.values()), case().lesion, AFFINE).axes


def test_section(tmp_path, curve, free):
    (tmp_path / "detector/real/fold-0").mkdir(parents=True)
    rows = areas((0.25, 0.0, 1.0), (0.1, 0.0, 0.2))
    write_tsv(tmp_path / "detection.tsv", table(rows, 4))
    tests = [("detection sensitivity", "real", "semi_3d", 4, 0.25, -0.5, 0.75, 0.5, 1.0)]
    write_tsv(tmp_path / "detection_tests.tsv", pd.DataFrame(tests, columns=list(TESTS)))
    save(detection_figure(curve, LABELS), tmp_path / "detection.png")
    save(free_response_figure(free, LABELS), tmp_path / "free_response.png")
    save(detection_figure(curve, LABELS), tmp_path / "detector/real/fold-0/curve.png")
    (section,) = sections(sorted(tmp_path.rglob("*.*")), LABELS)
    assert [picture.title for picture in section.figures] == [
        "Detection curves (Figure 4)",
        "Free-response curves",
        "Training of the encoder: Real PET",
    ]
    assert section.lead.startswith("Not told apart from chance in space: Real PET. With 4 patients")
    found, false, compared = (listing.table for listing in section.listings)
    assert found["Detector"].tolist()[:2] == ["Real PET", "Real PET, lesions moved over controls"]
    assert found["Area"].tolist()[:2] == ["0.250 (0.000 to 1.000)", "0.100 (0.000 to 0.200)"]
    assert false["Specificity"].tolist() == ["0.500 (0.200 to 0.800)"]
    assert compared["Difference"].tolist() == ["+0.250 (-0.500 to +0.750)"]
    assert sections([], LABELS) == []
