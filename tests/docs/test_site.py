"""The documentation builds without a warning, and asks nothing of the net."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", out]
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]  # also for a link that leads nowhere
    return out


@pytest.fixture(scope="module")
def hooks(root):
    spec = importlib.util.spec_from_file_location("hooks", root / "docs/hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_there(root, site):
    pages = {path.relative_to(root / "docs") for path in (root / "docs").rglob("*.md")}
    assert len(pages) > 20
    assert all((site / page.with_suffix(".html")).is_file() for page in pages)


@pytest.mark.parametrize("what", ["script", "link", "img", "iframe"])
def test_nothing_is_fetched_from_the_net(site, what):
    for page in site.rglob("*.html"):
        for tag in re.findall(rf"<{what}\b[^>]*>", page.read_text()):
            fetched = re.search(r'(?:src|href)="(?:https?:)?//', tag)
            assert not fetched or 'rel="canonical"' in tag, f"{page.name}: {tag}"


def test_readme_and_the_schemas_tables_are_shown(site):
    assert "Two commands" in (site / "index.html").read_text()
    assert "max_days_apart" in (site / "reference/configuration.html").read_text()
    assert "load_bundle" in (site / "reference/python.html").read_text()


@pytest.mark.parametrize(
    ("page", "link", "shown"),
    [
        ("index.md", "[a](docs/data.md#folds)", "[a](data.md#folds)"),
        ("tutorial/x.md", "[a](../../CONTRIBUTING.md)", "[a](../contributing.md)"),
        ("architecture.md", "![a](images/rules.svg)", "![a](images/rules.svg)"),
        ("tools.md", "see [a](../findings/README.md).", "see a."),
        ("data.md", "[a](https://x.org/b)", "[a](https://x.org/b)"),
    ],
)
def test_links_lead_to_the_sites_own_pages(hooks, monkeypatch, root, page, link, shown):
    path = Path(page)
    monkeypatch.setattr(hooks, "ROOT", root)
    if page == "index.md":
        source = SimpleNamespace(read_text=lambda: link, parent=root)
        monkeypatch.setitem(hooks.SHOWN, page, source)
    of_page = SimpleNamespace(file=SimpleNamespace(src_uri=str(path)))
    assert hooks.on_page_markdown(link, of_page) == shown
