"""Tracers in the spellings of file names, sidecars and configurations."""

import pytest

from mri2pet.cohorts.tracers import name_tracer, read_tracer, told_tracer


@pytest.mark.parametrize(
    ("text", "label"),
    [
        *[(text, "18FFDG") for text in ("18FFDG", "FDG", "fdg", "[18F]FDG", "18F-FDG", "F18-FDG")],
        ("2-deoxy-2-[18F]fluoro-D-glucose", "18FFDG"),
        ("2-[18F]fluoro-2-deoxy-D-glucose", "18FFDG"),
        ("fluorodeoxy-D-glucose", "18FFDG"),
        ("Fluorodeoxyglucose F^18^", "18FFDG"),
        ("Fluordesoxyglukose", "18FFDG"),
        ("fludeoxyglucose (fluorine-18)", "18FFDG"),
        *[(text, "11CPIB") for text in ("11CPIB", "PiB", "[11C]PiB", "Pittsburgh compound B")],
        *[(text, "18FAV45") for text in ("18FAV45", "AV-45", "Florbetapir F 18")],
        *[(text, "18FAV1451") for text in ("AV1451", "flortaucipir", "[18F]T807")],
        *[(text, "18FFMZ") for text in ("18FFMZ", "[18F]flumazenil")],
        *[(text, "11CFMZ") for text in ("11CFMZ", "[11C]Flumazenil")],
        ("11CSB207145", "11CSB207145"),
        ("[11C]CIMBI-36", "11CCIMBI36"),
        ("68Ga-PSMA", "68GaPSMA"),
        ("carbon-11 raclopride", "11CRAC"),
    ],
)
def test_one_label_for_all_spellings(text, label):
    assert read_tracer(text).label == label


@pytest.mark.parametrize(
    "text", ["", " ", "n/a", "NA", "Unknown", "none", "not specified", "18F", 7]
)
def test_what_names_nothing(text):
    assert read_tracer(text) is None
    assert told_tracer({"TracerName": text}) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("FDG", "18FFDG", True),
        ("flumazenil", "11CFMZ", True),
        ("18FFMZ", "11CFMZ", False),
        ("FDG", "11CPIB", False),
        ("FDG", "FDGal", False),
        ("DASB", "[11C]DASB", True),
    ],
)
def test_isotopes_that_are_not_told_differ_from_none(one, other, same):
    assert read_tracer(one).matches(read_tracer(other)) is same


@pytest.mark.parametrize("nuclide", ["C11", "11C", "Carbon-11", "C-11", "[11C]"])
def test_the_radionuclide_of_a_sidecar_counts(nuclide):
    told = told_tracer({"TracerName": "flumazenil", "TracerRadionuclide": nuclide})
    assert told.label == "11CFMZ" and told.radionuclide == "C11"


@pytest.mark.parametrize("agent", ["Solution", "saline", "n/a"])
def test_a_preparation_is_no_tracer(agent):
    assert told_tracer({"Radiopharmaceutical": agent}) is None
    assert told_tracer({"Radiopharmaceutical": "FDG -- fluorodeoxyglucose"}).label == "18FFDG"


def test_names_that_may_hide_a_remark_are_not_kept():
    told = {"TracerName": "FDG given to Jane Doe"}
    assert name_tracer("18FFDG", told) == {"TracerName": "FDG", "TracerRadionuclide": "F18"}
