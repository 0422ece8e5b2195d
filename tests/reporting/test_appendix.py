"""Methods in words, checklists and rules inside the page."""

import re
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from mri2pet.config.systems import SYSTEMS
from mri2pet.files import write_tsv
from mri2pet.reporting.appendix import appendix, as_html, rule_picture
from mri2pet.reporting.captions import NAMES
from mri2pet.reporting.html import Report, render
from mri2pet.runs.rule_graph import picture_of, rules_in

TEXT = """# Methods, in words

Made from the configuration.

## People

*dementia*: 16 people [1, 2].

## Models

- U-Net: network `unet3d`.

## References

1. One A. First. 2001.
2. Two B. Second. 2002.
"""


@pytest.fixture
def given(tmp_path, root):
    (tmp_path / "methods.md").write_text(TEXT)
    items = [("CLAIM", "1", "title", "to be filled by the authors", "n/a", "open")]
    heads = ["checklist", "item", "topic", "answer", "source", "state"]
    write_tsv(tmp_path / "checklist.tsv", pd.DataFrame(items, columns=heads))
    return {
        "methods": [tmp_path / "methods.md"],
        "checklist": [tmp_path / "checklist.tsv"],
        "graphs": [root / picture_of(system) for system in ("gla_gan", "ixi")],
    }


@pytest.fixture
def page(given):
    made = appendix(given, ["gla_gan", "ixi"])
    return render(Report("Title", "Lead.", {"dementia": True}, **made))


def test_markdown_becomes_headings_lists_and_emphasis():
    made = as_html(TEXT)
    assert "Methods, in words" not in made  # the page has a heading of its own
    assert '<h3 id="methods-people">People</h3>' in made
    assert "<em>dementia</em>: 16 people [1, 2]." in made
    assert "<li>U-Net: network <code>unet3d</code>.</li>" in made
    assert "<ol>\n<li>One A. First. 2001.</li>" in made


@pytest.mark.parametrize(
    "words",
    [
        "<script>alert(1)</script>",
        "a <b onclick='x'>label</b> of a model",
        "[model](javascript:alert(1))",
        "![picture](http://example.org/x.png)",
        "<http://example.org>",
        "<!-- hidden -->",
    ],
)
def test_markup_in_labels_is_shown_and_not_obeyed(words):
    made = as_html(f"# Head\n\n## People\n\n- {words}: a model\n\n{words}\n")
    assert set(re.findall(r"<([a-z0-9]+)", made)) <= {"h3", "ul", "li", "p"}
    assert "href" not in made and "<!--" not in made
    assert "src" not in made or "&lt;" in made or "![" in made


def test_the_page_holds_methods_checklist_and_rules_and_leads_to_them(page):
    contents = page[page.index("<nav") : page.index("</nav>")]
    for anchor, inside in (
        ("methods", "16 people [1, 2]"),
        ("checklist", "to be filled by the authors"),
        ("rules", "figure_synthesis"),
    ):
        assert f'href="#{anchor}"' in contents
        begin = page.index(f'id="{anchor}"')
        fold = page.rindex("<details", 0, begin)
        assert "open" not in page[fold:begin]  # folded
        assert inside in page[begin:]


def test_a_page_without_them_does_not_name_them():
    page = render(Report("Title", "Lead.", {"dementia": True}))
    for anchor in ("methods", "checklist", "rules"):
        assert f'"#{anchor}"' not in page and f'id="{anchor}"' not in page


def test_only_the_systems_that_ran_have_rules_in_the_page(page):
    assert page.count("<svg") == 2
    for system, name in NAMES.items():
        assert (f"{name}: files of rules" in page) == (system in ("gla_gan", "ixi"))
    for rule in ("dual_glow_table1", "detection_table"):
        assert rule not in page


@pytest.mark.parametrize("system", list(SYSTEMS))
def test_pictures_of_rules_are_small_whole_and_need_nothing(system, root, tmp_path):
    path = root / picture_of(system)
    made = rule_picture(path)
    assert len(made) < 60_000
    drawn = ET.fromstring(made)
    names = {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert rules_in(path) <= names
    assert not re.search(r"\bid=|href|http(?!://www.w3.org/2000/svg)", made)
    wide, tall = float(drawn.get("width")), float(drawn.get("height"))
    seen = [float(number) for number in drawn.get("viewBox").split()]
    assert seen == pytest.approx([0, 0, wide, tall], abs=1)  # a point is a pixel
