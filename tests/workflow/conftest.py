"""A whole run of the workflow on a very small cohort, two of whose scans are bad."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Run:
    """A folder in which the workflow ran, and what was done to it."""

    folder: Path
    root: Path
    missing_slice: tuple[str, str] = ("", "")
    truncated_pet: tuple[str, str] = ("", "")

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        """Call snakemake on this folder with the small configuration."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", self.root / "Snakefile"]
        command += [
            "--directory",
            self.folder,
            "--configfile",
            self.root / "tests/workflow/mini.yaml",
        ]
        result = subprocess.run(
            [*map(str, command), "--cores", "2", *arguments], capture_output=True, text=True
        )
        if check and result.returncode:
            pytest.fail(
                f"snakemake {arguments} failed:\n{result.stdout[-3000:]}{result.stderr[-9000:]}"
            )
        return result

    def path(self, pattern: str) -> Path:
        """Return the one file under the folder that matches."""
        (found,) = self.folder.glob(pattern)
        return found


def series(run: Run, ptid: str, word: str, which: int) -> Path:
    """Return a raw series folder of a participant, counted by date."""
    found = sorted((run.folder / "results/simulated/ADNI" / ptid).glob(f"*{word}*/*/*"))
    return sorted(found, key=lambda path: path.parent.name)[which]


@pytest.fixture(scope="session")
def finished(root, atlases, tmp_path_factory) -> Run:
    """Simulate, spoil two scans, run everything."""
    run = Run(tmp_path_factory.mktemp("run"), root)
    (run.folder / "resources").mkdir()
    shutil.copytree(atlases, run.folder / "resources/atlases")
    (run.folder / "config").symlink_to(root / "config")
    run.snakemake("results/cohort/cohort.tsv")
    lines = (run.folder / "results/cohort/cohort.tsv").read_text().splitlines()
    rows = [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]
    alone = next(row for row in rows if row["kind"] == "mri_only")
    again = next(row for row in rows if row["visit"] != "bl")
    run.snakemake(*{f"results/simulated/ADNI/{row['ptid']}" for row in (alone, again)})

    slices = sorted(series(run, alone["ptid"], "RAGE", 0).glob("*.dcm"))
    slices[len(slices) // 2].unlink()
    run.missing_slice = (alone["subject"], alone["visit"])
    for path in series(run, again["ptid"], "egistered", -1).glob("*.dcm"):
        path.write_bytes(path.read_bytes()[:2000])
    run.truncated_pet = (again["subject"], again["visit"])

    run.snakemake()
    return run
