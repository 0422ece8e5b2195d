"""A whole run of the workflow on a very small cohort, and the spoiling of two of its scans."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from offline import OFFLINE, cut


@dataclass
class Run:
    """A folder in which the workflow ran, and what was done to it."""

    folder: Path
    root: Path  # of the sources, a copy that tests may edit and then restore
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
            [*map(str, command), "--cores", "2", *arguments],
            capture_output=True,
            text=True,
            cwd=self.root,
            env=os.environ | OFFLINE | {"PYTHONPATH": str(self.root / "src")},
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

    def series(self, person: str, word: str, which: int = 0) -> Path:
        """Return a raw series folder of a participant's folder, counted by date."""
        found = sorted((self.folder / person).glob(f"*{word}*/*/*"))
        return sorted(found, key=lambda path: path.parent.name)[which]

    def cohort(self) -> list[dict[str, str]]:
        """Return the rows of the cohort table."""
        lines = (self.folder / "results/cohort/dementia.tsv").read_text().splitlines()
        rows = [line.split("\t") for line in lines]
        return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]

    def log(self) -> Path:
        """Return where `begin` has it tell what it does: beside its folder, not in it."""
        return self.folder.with_name(f"{self.folder.name}.log")

    def spoiled(self) -> set[str]:
        """Return the subjects whose scans were spoiled."""
        return {self.missing_slice[0], self.truncated_pet[0]}


def first_targets(run: Run) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """Return the raw folders of the two people to be spoiled, and their visits."""
    rows = run.cohort()
    alone = next(row for row in rows if row["kind"] == "mri_only")
    again = next(row for row in rows if row["visit"] != "bl")
    return [row["mri_file"] for row in (alone, again)], alone, again


def spoil(run: Run, alone: dict[str, str], again: dict[str, str]) -> None:
    """Take a slice out of one MRI and cut another's PET short; both must be left out."""
    slices = sorted(run.series(alone["mri_file"], "RAGE").glob("*.dcm"))
    slices[len(slices) // 2].unlink()
    for path in run.series(again["mri_file"], "egistered", -1).glob("*.dcm"):
        path.write_bytes(path.read_bytes()[:2000])
    name_spoiled(run, alone, again)


def name_spoiled(run: Run, alone: dict[str, str], again: dict[str, str]) -> None:
    """Note whose scans were spoiled."""
    run.missing_slice = (alone["subject"], alone["visit"])
    run.truncated_pet = (again["subject"], again["visit"])


def make(run: Run) -> None:
    """Simulate, spoil two scans, run everything."""
    run.snakemake("results/cohort/dementia.tsv")
    raw, alone, again = first_targets(run)
    run.snakemake(*raw)
    spoil(run, alone, again)
    run.snakemake()


def begin(run: Run, atlases: Path) -> subprocess.Popen:
    """Have another process, in a session of its own and without a network, make everything."""
    (run.folder / "resources").mkdir()
    shutil.copytree(atlases, run.folder / "resources/atlases")
    (run.folder / "config").symlink_to(run.root / "config")
    with run.log().open("wb") as said:
        return subprocess.Popen(
            [*cut(), sys.executable, __file__, run.folder, run.root],
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def end_with(parent: int) -> None:
    """End this process and all that it started when the tests are gone, however they ended."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    os.nice(5)  # the tests that go on beside it have deadlines
    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    make(Run(Path(sys.argv[1]), Path(sys.argv[2])))
