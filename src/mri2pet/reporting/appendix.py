"""The appendix of the report: methods in words, checklists, and the rules of each system."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mri2pet.reporting.captions import NAMES
from mri2pet.reporting.views import pool, with_headings

SVG = "http://www.w3.org/2000/svg"
# Graphviz repeats these at each text; the page's style gives them once.
REPEATED = ("font-family", "id", "class")


def appendix(given: Mapping[str, Any], systems: Iterable[str]) -> dict[str, Any]:
    """Return those parts of an `html.Report`.

    Parameters
    ----------
    given
        `methods` and `checklist`: files of the rule `methods`, none or one each; `graphs`: pictures
        of the rules (`runs.rule_graph`), one a system.
    systems
        That were run, in the order of their pictures.
    """
    return {
        "methods": "".join(as_html(Path(path).read_text()) for path in given["methods"]),
        "checklist": with_headings(pool(given["checklist"], dtype=str, keep_default_na=False)),
        "graphs": {
            NAMES[system]: rule_picture(path)
            for system, path in zip(systems, given["graphs"], strict=True)
        },
    }


def as_html(text: str, below: str = "methods") -> str:
    """Return Markdown as HTML, without its first heading; markup inside it is shown, not obeyed.

    Parameters
    ----------
    text
        Headings, paragraphs, lists, emphasis and code.
    below
        What the anchors of its headings begin with.
    """
    import markdown
    from markdown.extensions.toc import TocExtension, slugify

    def anchor(words: str, separator: str) -> str:
        return f"{below}-{slugify(words, separator)}"

    reader = markdown.Markdown(extensions=[TocExtension(baselevel=2, slugify=anchor)])
    reader.preprocessors.deregister("html_block")
    for kind in ("html", "link", "image_link", "reference", "autolink", "automail"):
        reader.inlinePatterns.deregister(kind)
    first, _, rest = text.partition("\n")
    return reader.convert(rest if first.startswith("# ") else text)


def rule_picture(path: str | Path) -> str:
    """Return Graphviz's picture of rules as a part of a page, smaller.

    Parameters
    ----------
    path
        Of `runs.rule_graph`.
    """
    ET.register_namespace("", SVG)
    picture = ET.parse(path).getroot()
    for part in picture.iter():
        for title in part.findall(f"{{{SVG}}}title"):  # tooltips, of which a page has no use
            part.remove(title)
        for name in REPEATED:
            part.attrib.pop(name, None)
        part.text, part.tail = (part.text or "").strip(), ""
    wide, tall = (str(picture.attrib.pop(side)).removesuffix("pt") for side in ("width", "height"))
    picture.attrib |= {"width": wide, "height": tall}  # 11 points of a text become 11 pixels
    return ET.tostring(picture, encoding="unicode")
