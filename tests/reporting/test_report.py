import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import fakes
from mri2pet.evaluation.image_metrics import DATA_RANGE, SSIM_SIGMA
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.files import write_tsv
from mri2pet.reporting import views
from mri2pet.reporting.captions import PACKAGES, TABLES
from mri2pet.reporting.html import SIMULATED_NOTE, Picture, Report, Section, pinned_versions, render
from mri2pet.reporting.pictures import data_uri, qc_visits


def result(method, metric, mean, p=np.nan, published=(np.nan, np.nan), uncorrected=0.0001):
    first = ["Paired", method, metric, "unit", mean, 0.01, 12, uncorrected, *published]
    row = [*first, mean - 0.005, mean + 0.005, p, uncorrected]
    return dict(zip(COLUMNS, row, strict=True))


@pytest.fixture
def table():
    rows = [
        result("gla_gan", "SSIM", 96.5, published=(96.88, 0.26)),
        result("gla_gan", "MAE", 0.02, p=0.0123),
        result("unet", "SSIM", 95.0, p=0.0004),
        result("unet", "MAE", 0.01),
        result("mean_pet", "SSIM", 99.0),
        result("mean_pet", "MAE", np.nan),
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def view(table):
    return views.table_view(*TABLES["I"], table, {"gla_gan": "GLA-GAN", "unet": "U-Net"})


@pytest.fixture
def report(view, pictures):
    visits = fakes.visits()
    excluded = {"subject": "002S0001", "visit": "bl", "reason": "slice 3 is missing in <here>"}
    return Report(
        title="Title",
        lead="Lead",
        simulated={"adni": True},
        cohort=views.cohort_summary(visits),
        folds=views.fold_summary(fakes.folds(visits)),
        excluded=pd.DataFrame([excluded]),
        sections=[
            Section("tables", "Tables", [], [view, view, view]),
            Section("figures", "Figures", [Picture("Figure", "Caption", data_uri(pictures[0]))]),
            Section("training", "Training", [Picture("Curve", "Caption", data_uri(pictures[1]))]),
        ],
        qc=qc_visits(pictures, {("002S0001", "bl"): "slice 3 is missing in <here>"}),
        config="raw: simulated\n",
        versions={"mri2pet": "1.2.3"},
    )


class Outside(HTMLParser):
    """Gather everything that a page would load or open from elsewhere, and its open tags."""

    def __init__(self):
        super().__init__()
        self.found, self.open, self.ids, self.anchors = [], [], [], set()

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "img"):
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name == "href" and value.startswith("#"):
                self.anchors.add(value[1:])
            elif name in ("src", "href", "srcset", "data") and not value.startswith("data:image/"):
                self.found.append(value)
        if tag in ("link", "iframe", "object"):
            self.found.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_well_formed_and_needs_nothing_from_elsewhere(report):
    page = render(report)
    parser = Outside()
    parser.feed(page)
    assert parser.found == []
    assert parser.open == []
    assert parser.anchors <= set(parser.ids)
    assert not re.search(r"url\(|@import|https?://", page)


def test_ids_are_there_once(report):
    report.sections[0] = replace(report.sections[0], tables=report.sections[0].tables[:1])
    parser = Outside()
    parser.feed(render(report))
    assert sorted(parser.ids) == sorted(set(parser.ids))


def test_simulated_cohort_is_said_once_at_the_top(report):
    page = render(report)
    assert page.count(SIMULATED_NOTE) == 1
    assert page.index(SIMULATED_NOTE) < page.index("<h2")
    assert 'class="mark"' not in page  # nothing to be told apart


def test_real_cohort_has_no_banner(report):
    report.simulated = {"adni": False}
    assert SIMULATED_NOTE not in render(report)


def mixed_page(report):
    """The page of real ADNI and simulated IXI, by the heading of each section."""
    report.simulated, report.studies = {"adni": False, "ixi": True}, ["adni"]
    tables = report.sections[0].tables
    report.sections = [
        *(replace(section, studies=["adni"]) for section in report.sections),
        Section("flow", "A flow", [], tables[:1], studies=["adni"]),
        Section("ixi", "T2 and PD", [], tables[:1], studies=["ixi"]),
        Section("both", "Both", [], tables[:1], studies=["adni", "ixi"]),
    ]
    pieces = re.split('<h2 id="(\\w+)">', render(report))
    return pieces[0], dict(zip(pieces[1::2], pieces[2::2], strict=True))


def test_of_real_and_simulated_studies_each_section_says_what_it_shows(report):
    top, by_section = mixed_page(report)
    which = "Simulated: the study ixi. What comes of it does not speak about patients. Real: "
    which += "the study adni."
    assert which in top and SIMULATED_NOTE not in top
    mark = '<span class="mark">{}</span>'.format
    for name in ("run", "excluded", "both"):
        assert by_section[name].split("</h2>")[0].count(mark("simulated and real")) == 1
    assert by_section["ixi"].count(mark("simulated")) == 2  # of the section and of its table
    for real in ("tables", "figures", "flow"):
        assert mark("real") in by_section[real]
        assert "simulated" not in by_section[real]


def test_a_real_system_beside_simulated_adni_is_marked_real(report):
    report.simulated, report.studies = {"adni": True, "epilepsy": False}, ["adni"]
    tables = report.sections[0].tables
    report.sections = [
        *(replace(section, studies=["adni"]) for section in report.sections),
        Section("clusters", "Clusters", [], tables[:1], studies=["epilepsy"]),
    ]
    before, after = render(report).split('<h2 id="clusters">')
    assert '<span class="mark">simulated</span>' in before.split('<h2 id="tables">')[1]
    assert "Real: the study epilepsy." in before
    assert after.startswith('Clusters<span class="mark">real</span>')


def test_page_escapes_what_comes_from_data(report):
    page = render(report)
    assert "slice 3 is missing in &lt;here&gt;" in page
    assert "<here>" not in page


def test_page_can_be_made_from_nothing():
    page = render(Report(title="T", lead="L", simulated={"adni": False}))
    for missing in ("No result", "No QC picture", "No cohort"):
        assert missing in page


def test_best_model_is_marked_by_the_metric_s_direction_never_a_reference(view):
    best = {row.label: [cell.best for cell in row.cells] for row in view.rows}
    assert best == {"GLA-GAN": [True, False], "U-Net": [False, True], "Mean PET": [False, False]}
    assert [row.reference for row in view.rows] == [False, False, True]


def test_stars_and_best_come_from_the_corrected_p_alone(table):
    """Uncorrected, everything here differs by far."""
    table["p_value"], table["p_folds"] = 1e-6, 1e-6
    table["p_holm"] = table["p_holm"].where(table["p_holm"].isna(), 0.2)
    view = views.table_view(*TABLES["I"], table, {})
    cells = [cell for row in view.rows for cell in row.cells]
    assert not any(cell.differs for cell in cells)
    assert [cell.p for cell in cells if cell.best] == ["best mean", "best mean"]
    page = render(Report("T", "L", {"adni": False}, sections=[Section("t", "T", [], [view])]))
    assert "[95.00 to 95.00]" in page
    assert "95.00 ± 0.01*" not in page


def test_ties_are_all_marked(table):
    table.loc[table["metric"] == "MAE", "mean"] = 0.01
    tied = views.table_view(*TABLES["I"], table, {})
    assert [row.cells[1].best for row in tied.rows] == [True, True, False]


def test_cells_show_mean_sd_published_and_p(view):
    gla_gan, unet, mean_pet = view.rows
    assert gla_gan.cells[0].value == "96.50 ± 0.01"
    assert gla_gan.cells[0].published == "96.88 ± 0.26"
    assert (gla_gan.cells[1].p, gla_gan.cells[1].differs) == ("p = 0.012", True)
    assert gla_gan.cells[1].interval == "0.0150 to 0.0250"
    assert unet.cells[0].p == "p < 0.001"
    assert (gla_gan.cells[0].p, unet.cells[1].p) == ("best", "best")
    assert (mean_pet.cells[0].p, mean_pet.cells[0].differs) == ("", False)
    assert mean_pet.cells[1].value == "n/a"
    assert view.heads[1] == ("MAE", "unit", "↓")


def test_cohort_summary_counts_people_once():
    summary = views.cohort_summary(fakes.visits(12, 4, 3)).set_index("Group")
    assert summary.loc["All", "Subjects"] == 16
    assert summary.loc["All", "Visits"] == 19
    assert summary.loc["CN", "MRI and PET"] == 6 + 2
    assert summary.loc["AD", "MRI only"] == 2


def test_groups_of_several_studies_are_counted_apart(tmp_path):
    tables = {tmp_path / "a.tsv": "ADNI", tmp_path / "b.tsv": "IXI"}
    for path in tables:
        write_tsv(path, fakes.visits(12, 4, 3).head(8))
    summary = views.cohort_summary(views.pool_cohorts(tables))
    assert list(zip(summary["Study"], summary["Group"], strict=True)) == [
        *(("ADNI", "CN"), ("ADNI", "AD"), ("IXI", "CN"), ("IXI", "AD"), ("All", "")),
    ]
    assert summary["Visits"].to_list() == [5, 3, 5, 3, 16]
    alone = views.cohort_summary(views.pool_cohorts({tmp_path / "a.tsv": "ADNI"}))
    assert list(alone["Group"]) == ["CN", "AD", "All"]
    assert "Study" not in alone


def test_pictures_name_view_and_sides(report):
    page = render(report)
    assert page.count("<figure data-stage=") == 3
    assert page.count("<b>P</b>sagittal<b>A</b>") == page.count("<b>L</b>axial<b>R</b>") == 3


def test_versions_come_from_the_lists_of_requirements(tmp_path):
    lock, asked = tmp_path / "lock", tmp_path / "in"
    lock.write_text(
        "numpy==2.4.6 \\\n    --hash=sha256:ab\nscikit-learn==1.9.1 ; python_version>'3'\n"
    )
    asked.write_text("# by hand\nscikit-learn==1.9.1\ntorch==2.13.0\nscipy\n")
    found = pinned_versions([lock, asked], PACKAGES)
    assert found == {"torch": "2.13.0", "scikit-learn": "1.9.1", "numpy": "2.4.6"}


def test_every_package_that_the_page_names_has_a_version(root):
    found = pinned_versions([root / "requirements.lock", root / "requirements.in"], PACKAGES)
    assert set(found) == set(PACKAGES)


def test_exclusions_are_noted_by_visit_and_headed_in_words():
    rows = [("011S0005", "bl", "PET", "all zero"), ("011S0005", "bl", "PET", "all zero")]
    excluded = pd.DataFrame(rows, columns=["subject", "visit", "modality", "reason"])
    assert views.exclusion_notes(excluded) == {("011S0005", "bl"): "PET: all zero"}
    heads = views.with_headings(excluded.assign(image_id="1")).columns
    assert list(heads) == ["Subject", "Visit", "Modality", "Reason", "Image ID"]


def test_captions_of_the_snakemake_report_say_the_same(root):
    captions = {path.name: path.read_text() for path in (root / "workflow/report").glob("*.rst")}
    for name in ("table1", "table2", "table3", "figure_synthesis", "figure_curves", "report"):
        assert SIMULATED_NOTE in captions[f"{name}.rst"]
    assert f"data range {DATA_RANGE:g};" in captions["table1.rst"]
    assert f"sigma {SSIM_SIGMA:g} voxels" in captions["table1.rst"]


def test_a_partial_report_lists_what_is_missing_and_the_whole_one_does_not(report):
    assert "This report is not whole" not in render(report)
    report.missing = ["results/gla_gan/tables/table2.tsv"]
    report.failed = pd.DataFrame({"Stage": ["train"], "Reason": ["killed <by hand>"]})
    page = render(report)
    assert "1 missing files" in page
    assert "results/gla_gan/tables/table2.tsv" in page
    assert "killed &lt;by hand&gt;" in page


def test_a_report_of_nothing_can_be_made():
    nothing = Report(title="Title", lead="Lead", simulated={"adni": True}, missing=["everything"])
    nothing.cohort = views.cohort_summary(views.pool([]))
    nothing.excluded = views.with_headings(views.pool([]))
    assert "No cohort table." in render(nothing)
    assert views.exclusion_notes(views.pool([])) == {}
