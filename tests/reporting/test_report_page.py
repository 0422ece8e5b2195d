"""The page as it is seen and read: widths, contrast, headings, alternative texts, first words."""

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fakes
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.files import write_tsv
from mri2pet.reporting import views
from mri2pet.reporting.appendix import appendix
from mri2pet.reporting.html import SIMULATED_NOTE, Listing, Picture, Report, Section, render
from mri2pet.reporting.pictures import data_uri, qc_visits
from mri2pet.reporting.summary import study
from mri2pet.reporting.summary.build import summary

LABELS = {
    "gan": "A network with a long name (3D-patch)",
    "unet": "U-Net",
    "local_regression": "Local regression",
}
METRICS = (
    "CorCoef", "PSNR", "SSIM", "MAE", "CorCoef (whole volume)", "PSNR (whole volume)",
    "SSIM (whole volume)", "MAE (whole volume)", "correlation of differences from Mean PET",
    "gap closed",
)  # fmt: skip
SIZES = (1400, 800)
# Opens all that is folded and writes into the title what lies beyond the page or its own box.
PROBE = """<script>addEventListener("load", () => {
document.querySelectorAll("details.fold").forEach((fold) => { fold.open = true; });
const page = document.documentElement, right = (each) => each.getBoundingClientRect().right;
const cut = [...document.querySelectorAll(".table, .plots")].filter(
  (box) => right(box.querySelector("table")) > right(box) + 1).length;
const out = [...document.querySelectorAll("body *")].filter((each) =>
  each.getClientRects().length && !each.closest(".skip, .graph svg") &&
  right(each) > page.clientWidth + 1);
document.title = "found" + JSON.stringify({ width: page.clientWidth, scroll: page.scrollWidth, cut,
  out: out.map((each) => each.tagName + "." + each.className) });
});</script>"""


def long_row(dataset, method, metric, mean, p=np.nan):
    values = [dataset, method, metric, "intensity in 0..1", mean, 0.01234, 12, 0.01, 0.98765, 0.012]
    return dict(zip(COLUMNS, [*values, mean - 0.01, mean + 0.01, p, 0.01], strict=True))


@pytest.fixture(scope="module")
def further(tmp_path_factory, root):
    """Methods, checklist and rules, each with words that do not break."""
    folder = tmp_path_factory.mktemp("further")
    models = "".join(
        f"- Model {n}: network `a_network_{n}`; a_setting_{n} 0.1.\n" for n in range(9)
    )
    (folder / "methods.md").write_text(f"# Methods\n\n## Models\n\n{models}\n1. One A. 2001.\n")
    heads = ["checklist", "item", "topic", "answer", "source", "state"]
    item = ("TRIPOD+AI", "23", "results", "as tables", "results/gla_gan/tables/table1.tsv", "open")
    write_tsv(folder / "checklist.tsv", pd.DataFrame([item] * 9, columns=heads))
    graph = root / "workflow/report/rules-gla_gan.svg"
    files = {"methods": "methods.md", "checklist": "checklist.tsv"}
    given = {name: [folder / file] for name, file in files.items()}
    return appendix(given | {"graphs": [graph]}, ["gla_gan"])


@pytest.fixture(scope="module")
def page(tmp_path_factory, further):
    """A page with all that a report has, its table the widest that there is."""
    folder = tmp_path_factory.mktemp("page")
    rows = [
        long_row("Paired", method, metric, mean + 20 * metric.startswith("PSNR"), 0.001)
        for method, mean in zip((*LABELS, "mean_pet", "oracle"), (0.8, 0.7, 0.9, 0, 1), strict=True)
        for metric in METRICS
    ]
    quality = pd.DataFrame(rows)
    diagnoses = [
        long_row("Paired", name, "AUC", mean, 0.4)
        for name, mean in (("gan", 0.9), ("unet", 0.8), ("only_mri", 0.85), ("mri_age_sex", 0.8))
    ]
    against = pd.DataFrame(
        [
            ("gan", "mean_pet", -0.02, -0.03, -0.01), ("unet", "mean_pet", 0.0, -0.01, 0.01),
            ("local_regression", "mean_pet", -0.04, -0.05, -0.03),
            ("gan", "local_regression", 0.02, 0.01, 0.03),
            ("unet", "local_regression", 0.03, 0.02, 0.04),
        ],
        columns=["method", "against", "mean", "low", "high"],
    ).assign(metric="MAE", unit="intensity in 0..1", n=12)  # fmt: skip
    write_tsv(folder / "table1.tsv", quality)
    write_tsv(folder / "table2.tsv", pd.DataFrame(diagnoses))
    write_tsv(folder / "differences.tsv", against)
    shots = [
        folder / f"sub-{who}_ses-bl_{stage}_qc.png" for who in "AB" for stage in ("n4", "acpc")
    ]
    for path in [*shots, folder / "synthesis_AD.png"]:
        Image.fromarray(np.full((200, 1800, 3), 99, np.uint8)).save(path)
    caption = "Real and synthetic PET of one person. Neurological view."
    sections = [
        Section(
            "tables",
            "GLA-GAN: tables",
            [Picture("Synthetic PET", caption, data_uri(folder / "synthesis_AD.png"))],
            [views.table_view("table1", "Table I", "Caption.", quality, LABELS)],
            [Listing("Listing", "Caption.", pd.DataFrame([{"Region": "Precuneus_L", "n": 3}]))],
        )
    ]
    visits = fakes.visits()
    report = Report("From MRI to PET", "Lead.", {"dementia": True}, sections=sections, **further)
    report.cohort, report.folds = (
        views.cohort_summary(visits),
        views.fold_summary(fakes.folds(visits)),
    )
    report.viewers = {"gla_gan": "GLA-GAN"}
    report.qc, report.config = qc_visits(shots), "key: value\n" * 50
    none = pd.DataFrame()
    whom = study.whom(visits.assign(study="dementia"), report.simulated)
    sound = study.sound(visits, none, none, [], none)
    files = sorted(folder.glob("*.*"))
    report.summary = summary(
        {"gla_gan": LABELS}, {"gla_gan": files}, {"gla_gan": sections}, {"gla_gan": ["dementia"]},
        whom, sound,
    )  # fmt: skip
    return render(report)


class Outline(HTMLParser):
    """Headings, pictures and text before the second heading of level 2."""

    def __init__(self):
        super().__init__()
        self.levels, self.alts, self.words, self.skipped = [], [], [], 0

    def handle_starttag(self, tag, attributes):
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "img":
            self.alts.append((dict(attributes).get("alt"), "src" in dict(attributes)))
        self.skipped += tag in ("style", "script", "nav")

    def handle_endtag(self, tag):
        self.skipped -= tag in ("style", "script", "nav")

    def handle_data(self, data):
        if not self.skipped and self.levels.count(2) <= 1:
            self.words.append(data.strip())


@pytest.fixture
def outline(page):
    parser = Outline()
    parser.feed(page)
    return parser


def test_first_screen_says_who_was_run_what_beats_what_and_whether_it_is_sound(outline):
    words = " ".join(word for word in outline.words if word)
    for said in (
        SIMULATED_NOTE,
        "1 system, from raw scans to tables: GLA-GAN.",
        "simulated people (",
        "No scan was left out.",
        "No network is better than the local regression",
        "A network with a long name (3D-patch) is better than Mean PET",
        "of the gap from Mean PET to the oracle networks close",
        "whether the diagnosis gains by synthetic PET cannot be told from 12 people",
    ):
        assert said in words
    assert not re.search(r"\bbest (?!that)", words)


def test_headings_are_in_order(outline):
    assert outline.levels.count(1) == 1
    assert outline.levels[0] == 1
    steps = np.diff(outline.levels)
    assert steps.max() == 1  # none is left out on the way down


def test_every_picture_is_described(outline):
    shown = [alt for alt, there in outline.alts if there]
    assert len(shown) == 6  # a figure, a small one, four of quality control
    assert all(alt and len(alt) > 40 for alt in shown)
    assert sum("the patient's left on the left" in alt for alt in shown) == 4


def test_pictures_wait_until_they_are_scrolled_to(page):
    """All but those of the summary, at the edge of the first screen; so it does not wait for them.

    How soon it is there, `benchmarks/report_opening.py` measures.
    """
    shown = re.findall(r'<img src="data:[^>]*>', page)
    first, rest = shown[:1], shown[1:]
    assert page.index(first[0]) < page.index('<details class="fold')
    assert len(rest) == 5 and all('loading="lazy"' in each for each in rest)
    assert "<link" not in page and 'src="http' not in page and "@import" not in page
    assert page.index("<script>") > page.index("</main>")  # what is read first is drawn first


def luminance(colour):
    digits = colour.lstrip("#")
    digits = "".join(2 * each for each in digits) if len(digits) == 3 else digits
    levels = np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(page, scheme):
    both = re.findall(r":root \{([^}]*)\}", page)
    colours = dict(re.findall(r"--(\w+): (#\w+)", both[0]))
    if scheme == "dark":
        colours |= dict(re.findall(r"--(\w+): (#\w+)", both[1]))
    pairs = [
        (ink, back) for ink in ("ink", "grey", "blue", "good", "bad") for back in ("page", "wash")
    ]
    for ink, back in [*pairs, ("amber", "sand")]:
        dark, light = sorted(luminance(colours[name]) for name in (ink, back))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, back)


def test_everything_can_be_reached_by_keyboard(page):
    clickable = re.findall(r"<(\w+)[^>]*class=\"(?:thumb|fold)\"", page)
    assert set(clickable) == {"button", "details"}
    assert page.index('class="skip"') < page.index("<nav")
    assert ":focus-visible" in page
    assert 'tabindex="-1"' not in page


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
@pytest.mark.parametrize("width", SIZES)
def test_nothing_is_cut_off_and_the_page_does_not_scroll_sideways(page, tmp_path, width):
    (tmp_path / "page.html").write_text(page.replace("</body>", f"{PROBE}</body>"))
    call = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900",
        f"--user-data-dir={tmp_path}/user", "--virtual-time-budget=3000", "--dump-dom",
        (tmp_path / "page.html").as_uri(),
    ]  # fmt: skip
    shown = subprocess.run(call, capture_output=True, text=True, check=True, timeout=120).stdout
    told = re.search(r"<title>found(.*?)</title>", shown)
    found = json.loads(html.unescape(told[1]))
    assert found["width"] > width - 30  # a scroll bar may take some
    assert found["scroll"] <= found["width"]
    assert (found["cut"], found["out"]) == (0, [])
