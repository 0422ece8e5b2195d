"""The fingerprint changes exactly with the code that a script uses."""

from pathlib import Path

import pytest

from mri2pet.provenance.fingerprint import NOT_RESULTS, fingerprint

SCRIPT = """'Make a thing.'
from lib.tools import used
from lib import whole

used(whole.top())
"""
TOOLS = """
from lib.deep import helper
LIMIT = 3
def used(x):
    "Doc."
    return helper(x) + LIMIT
def unused(x):
    return x
"""
DEEP = "def helper(x):\n    from lib.late import late\n    return late(x)\n"
LATE = "def late(x):\n    return x + 1\n"
WHOLE = "def top():\n    return 1\ndef other():\n    return 2\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    package = tmp_path / "lib"
    package.mkdir()
    (tmp_path / "script.py").write_text(SCRIPT)
    sources = {"__init__": "", "tools": TOOLS, "deep": DEEP, "late": LATE, "whole": WHOLE}
    for name, text in sources.items():
        (package / f"{name}.py").write_text(text)
    return tmp_path


def mark(project: Path, **kwargs) -> str:
    return fingerprint(project / "script.py", project / "lib", **kwargs)


def replace(project: Path, file: str, old: str, new: str) -> None:
    path = project / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("script.py", "used(whole", "print(whole"),
        ("lib/tools.py", "helper(x) + LIMIT", "helper(x) - LIMIT"),
        ("lib/tools.py", "LIMIT = 3", "LIMIT = 4"),
        ("lib/deep.py", "late(x)", "late(2 * x)"),
        ("lib/late.py", "x + 1", "x + 2"),
        ("lib/whole.py", "return 1", "return 3"),
    ],
)
def test_a_change_of_used_code_changes_it(project, file, old, new):
    before = mark(project)
    replace(project, file, old, new)
    assert mark(project) != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("lib/tools.py", '"Doc."', '"Another doc."'),
        ("lib/tools.py", "LIMIT = 3", "LIMIT   =   3  # a comment"),
        ("lib/tools.py", "return x\n", "return x - 1\n"),
        ("lib/whole.py", "return 2", "return 5"),
        ("script.py", "Make a thing", "Make another thing"),
    ],
)
def test_a_change_that_means_nothing_to_the_script_does_not(project, file, old, new):
    before = mark(project)
    replace(project, file, old, new)
    assert mark(project) == before


def test_extra_symbols_are_followed(project):
    before = mark(project, extra=["lib.whole:other"])
    assert before != mark(project)
    replace(project, "lib/whole.py", "return 2", "return 5")
    assert mark(project, extra=["lib.whole:other"]) != before


def test_a_submodule_used_whole_is_followed(project):
    (project / "script.py").write_text("import lib.whole\nprint(lib.whole.top())\n")
    before = mark(project)
    replace(project, "lib/whole.py", "return 1", "return 7")
    assert mark(project) != before


def test_what_logs_and_records_does_not_count(project):
    (project / "lib/logs.py").write_text("def log_to(path):\n    return path\n")
    folder = project / "lib/provenance"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "record.py").write_text("from lib.logs import log_to\ndef recorded(x): log_to(x)\n")
    head = "from lib.logs import log_to\nfrom lib.provenance.record import recorded\n"
    (project / "script.py").write_text(head + SCRIPT + "recorded(log_to(3))\n")
    before = mark(project)
    replace(project, "lib/logs.py", "return path", "return None")
    replace(project, "lib/provenance/record.py", "log_to(x)", "print(x)")
    assert mark(project) == before
    replace(project, "script.py", "recorded(log_to(3))", "recorded(log_to(4))")
    assert mark(project) != before


def test_the_modules_that_do_not_count_are_there_and_used_by_all_scripts(root):
    package = root / "src/mri2pet"
    for name in NOT_RESULTS:
        assert package.joinpath(*name.split(".")).with_suffix(".py").is_file()
    assert all(not name.startswith(("models", "training", "imaging")) for name in NOT_RESULTS)
    for script in (root / "workflow/scripts").glob("*.py"):
        text = script.read_text()
        assert "with recorded(snakemake)" in text, f"{script.name} leaves no record"
