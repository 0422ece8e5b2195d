"""Codes of the papers' parts in docstrings and comments stand in the legend, with a file."""

import re

import pytest

CODE = re.compile(
    r"\bparts?\b((?:\s|,|and|to|-|\b[GDAX]\d{1,2}\b)*)|\(([DX]\d{1,2})(?:[-,)]| [a-z])"
)
FIRST = re.compile(r"[GDAX]\d{1,2}\b")


def legend(root) -> dict[str, str]:
    """Return code to row."""
    text = (root / "docs/reproduction.md").read_text()
    part = text[text.index("## Codes of the papers' parts") : text.index("## GLA-GAN")]
    return {line.split("|")[1].strip(): line for line in part.splitlines() if FIRST.match(line[2:])}


def used(root) -> dict[str, str]:
    """Return the codes that the sources name, with a file that does."""
    found = {}
    for folder, pattern in (("src/mri2pet", "*.py"), ("workflow", "*.smk")):
        for path in sorted((root / folder).rglob(pattern)):
            for words in CODE.finditer(path.read_text()):
                for code in FIRST.findall(words[0]):
                    found.setdefault(code, path.name)
    return found


def test_every_code_of_the_sources_is_in_the_legend(root):
    found = used(root)
    assert {"G6", "D2", "A7", "X1", "X8"} <= found.keys()
    assert not {code: file for code, file in found.items() if code not in legend(root)}


def test_every_code_of_the_decisions_is_in_the_legend(root):
    text = (root / "docs/reproduction.md").read_text()
    codes = re.findall(r"^(?:\| |### )([GDAX]\d{1,2})\b", text, re.M)
    assert len(set(codes)) > 25
    assert set(codes) <= legend(root).keys()


@pytest.mark.parametrize("paper", "GDAX")
def test_the_files_of_the_legend_are_there(root, paper):
    rows = [row for code, row in legend(root).items() if code[0] == paper]
    assert len(rows) >= 6
    for row in rows:
        files = re.findall(r"`([\w/]+\.py)`", row)
        assert files, row
        assert not [file for file in files if not (root / "src/mri2pet" / file).is_file()], row
