"""What the site needs beyond its pages: some that lie elsewhere, as README.md, are shown in it."""

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# A page of the site to the file that it shows; links in that file count from its folder.
SHOWN = {
    "index.md": ROOT / "README.md",
    "reference/configuration.md": ROOT / "config/README.md",
    "contributing.md": ROOT / "CONTRIBUTING.md",
    "changelog.md": ROOT / "CHANGELOG.md",
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Show the files of `SHOWN`; links out of docs/ lead to their page, or are words alone."""
    own = Path(page.file.src_uri)
    source = SHOWN.get(str(own))
    if source is not None:
        markdown = source.read_text()
    folder = ROOT / "docs" / own.parent if source is None else source.parent

    def moved(match: re.Match) -> str:
        picture, words, target, anchor = match.groups()
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        place = place_of((folder / target).resolve())
        if place is None:
            return words
        return f"{picture}[{words}]({'../' * len(own.parent.parts)}{place}{anchor or ''})"

    return LINK.sub(moved, markdown)


def place_of(path: Path) -> str | None:
    """Return where a file of the project is in the site; None for one that is in none."""
    for page, source in SHOWN.items():
        if source == path:
            return page
    if path.is_relative_to(ROOT / "docs") and path != ROOT / "docs":
        return str(path.relative_to(ROOT / "docs"))
    return None
