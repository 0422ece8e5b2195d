"""No job waits for packages that it does not use: what the scripts import before they begin."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Rules of a loop stand further in and have no name there.
RULE = re.compile(r"^( *)(?:rule|checkpoint) ?\w*:$(.*?)(?=^(?!\1 |\n)|\Z)", re.M | re.S)
# Half a second to three seconds each; functions that need one import it.
SLOW = {"torch", "ants", "deepbet", "sklearn", "skimage", "scipy.stats", "matplotlib", "nilearn"}


def scripts(word: str) -> list[Path]:
    """Return the scripts of the rules whose text has a word."""
    found = set()
    for path in (ROOT / "workflow/rules").rglob("*.smk"):
        for _, body in RULE.findall(path.read_text()):
            if word in body and (script := re.search(r'"(?:\.\./)+scripts/([\w.]+)"', body)):
                found.add(ROOT / "workflow/scripts" / script[1])
    return sorted(found)


def imported(paths: list[Path]) -> set[str]:
    """Return the modules there are after the imports at the head of some scripts."""
    lines = [
        ast.unparse(node)
        for path in paths
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    code = "\n".join([*lines, "import sys", "print(*sys.modules)"])
    command = [sys.executable, "-c", code]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_scripts_of_the_visits_need_neither_tables_nor_networks():
    paths = scripts('"visit"')
    assert {"acpc.py", "segment.py", "convert_scan.py"} <= {path.name for path in paths}
    assert not imported(paths) & {*SLOW, "pandas"}


def test_only_scripts_that_use_networks_import_torch():
    everything = set((ROOT / "workflow/scripts").glob("*.py"))
    networks = {path for path in everything if "torch" in imported_names(path)}
    light = sorted(everything - networks)
    assert not imported(light) & SLOW


def imported_names(path: Path) -> str:
    """Return the environments of the rules that run a script."""
    rules = [rule.read_text() for rule in (ROOT / "workflow/rules").rglob("*.smk")]
    bodies = [body for text in rules for _, body in RULE.findall(text) if path.name in body]
    return " ".join(re.findall(r"envs/(\w+)\.yaml", " ".join(bodies)))


def test_what_lists_the_jobs_needs_tables_and_arrays_alone():
    """Beside `--sdm conda`, Snakemake's own environment has no more than these two."""
    rules = [path.read_text() for path in (ROOT / "workflow/rules").rglob("*.smk")]
    lines = sorted(set(re.findall(r"^ *(from mri2pet.*|import \w+)$", "\n".join(rules), re.M)))
    assert any("simulation" in line for line in lines) and any("cohorts" in line for line in lines)
    code = "\n".join([*lines, "import sys", "print(*sys.modules)"])
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(out.stdout.split()) & {*SLOW, "nibabel", "pydicom", "nipype", "scipy.ndimage"}


@pytest.mark.parametrize("module", ["exclusion", "files", "logs", "runs.summary", "config.systems"])
def test_what_every_job_or_call_imports_is_light(module):
    code = f"import sys, mri2pet.{module}; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(out.stdout.split()) & {*SLOW, "pandas", "scipy", "nibabel"}
