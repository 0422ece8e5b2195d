"""A copy of the sources to which something is added, and the lists of CONTRIBUTING.md."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCES = ("src", "workflow", "config", "profiles", "envs", "resources")
FILES = ("Snakefile", "requirements.lock", "requirements.in", "pyproject.toml", "CONTRIBUTING.md")
MADE = ("__pycache__", "*.egg-info", "atlases", "lpips", "installed", ".*")


@dataclass
class Copy:
    """The sources, to be changed, and a folder in which the workflow runs."""

    original: Path
    root: Path
    folder: Path

    def write(self, path: str, text: str) -> None:
        """Write a new file."""
        target = self.root / path
        assert not target.exists(), f"{path} is there already"
        target.write_text(text)

    def insert(self, path: str, after: str, text: str) -> None:
        """Insert lines behind one that stands there once."""
        target = self.root / path
        lines = target.read_text().splitlines(keepends=True)
        (place,) = [number for number, line in enumerate(lines, 1) if line.rstrip("\n") == after]
        target.write_text("".join([*lines[:place], text, *lines[place:]]))

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands there once."""
        target = self.root / path
        text = target.read_text()
        assert text.count(old) == 1
        target.write_text(text.replace(old, new))

    def touched(self) -> list[str]:
        """Return the files that differ from the original, or are new."""
        found = []
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root)
            if path.is_file() and "__pycache__" not in name.parts and name.parts[0] != ".snakemake":
                before = self.original / name
                if not before.is_file() or before.read_bytes() != path.read_bytes():
                    found.append(name.as_posix())
        return found

    def snakemake(self, *arguments: str) -> str:
        """Call snakemake on the copy; return all that it says."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(self.root / "Snakefile")]
        command += ["--directory", str(self.folder), "--cores", "1", *arguments]
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root / "src"), "MRI2PET_COLD_START": "1"},
        )
        if result.returncode:
            pytest.fail(f"snakemake {arguments}:\n{result.stdout[-3000:]}{result.stderr[-6000:]}")
        return result.stdout + result.stderr

    def held_by(self, kind: str) -> None:
        """Compare the files that were touched with the list of CONTRIBUTING.md, both ways."""
        wanted, touched = listed(self.original, kind), self.touched()
        assert [p for p in wanted if not fnmatch.filter(touched, p)] == []
        assert [t for t in touched if not any(fnmatch.fnmatch(t, p) for p in wanted)] == []


@pytest.fixture
def copy(root, tmp_path) -> Copy:
    """Copy the sources, and make an empty folder to run in."""
    made = Copy(root, tmp_path / "sources", tmp_path / "run")
    for name in SOURCES:
        shutil.copytree(root / name, made.root / name, ignore=shutil.ignore_patterns(*MADE))
    for name in FILES:
        shutil.copy(root / name, made.root / name)
    made.folder.mkdir()
    for name in ("config", "profiles", "resources"):
        (made.folder / name).symlink_to(made.root / name)
    return made


def listed(root: Path, kind: str) -> list[str]:
    """Return the files of a list of CONTRIBUTING.md, as patterns."""
    text = (root / "CONTRIBUTING.md").read_text()
    part = re.search(rf"^\*\*A {kind}\*\*.*?\n(.*?)(?=^\*\*|\Z)", text, re.M | re.S)
    assert part, f"CONTRIBUTING.md has no list for a {kind}"
    files = re.findall(r"^\d+\. `([^`]+)`", part[1], re.M)
    return [re.sub(r"<\w+>", "*", file) for file in files]


@pytest.fixture
def room(copy, monkeypatch):
    """Return a function that lets a package of the library find the files of the copy, too."""

    def extend(package):
        name = package.__name__.rpartition(".")[2]
        place = str(copy.root / "src/mri2pet" / name)
        monkeypatch.setattr(package, "__path__", [*package.__path__, place])

    yield extend
    for module in [name for name in sys.modules if name.rpartition(".")[2].startswith("toy_")]:
        del sys.modules[module]


@pytest.fixture
def changes(copy):
    """Return a function that tells whether an edit changes the fingerprint of training."""
    from mri2pet.provenance.fingerprint import fingerprint

    def told(symbol: str, path: str, old: str, new: str) -> bool:
        script, package = copy.root / "workflow/scripts/train.py", copy.root / "src/mri2pet"
        before = fingerprint(script, package, [symbol])
        copy.replace(path, old, new)
        return fingerprint(script, package, [symbol]) != before

    return told


@pytest.fixture
def tiny_pairs():
    """Four volumes of 8^3 whose PET is a function of the MRI."""
    import torch

    from mri2pet.training.data import Pairs

    mri = torch.rand(4, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(8, 8, 8, dtype=torch.bool)
    mask[1:-1, 1:-1, 1:-1] = True
    atlas = (mask * torch.arange(1, 9)[:, None, None]).to(torch.uint8)
    return Pairs(mri, (0.8 - 0.6 * mri) * mask, mask, atlas)


@pytest.fixture
def tiny_entry():
    """Configuration of a very small regression."""
    return {
        "recipe": "regression",
        "generator": {"name": "unet3d", "filters": [2, 2]},
        "losses": {"l1": 1.0},
        "training": {"epochs": 2, "batch_size": 2, "learning_rate": 0.01},
    }


@pytest.fixture
def trained(tiny_pairs):
    """Return a function that trains an entry for a moment: the generator and the history."""
    import torch

    from mri2pet.training.run import train_model

    threads = torch.get_num_threads()
    yield lambda entry: train_model(entry, tiny_pairs, name="toy", fold=0, seed=1, device="cpu")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)
