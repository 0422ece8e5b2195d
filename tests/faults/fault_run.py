"""A run of the workflow with faults: calls of Snakemake, and what must hold after each of them."""

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mri2pet.files import sha256
from mri2pet.runs.times import read_jobs

HOOK = Path(__file__).parent / "hook/sitecustomize.py"
MADE = (".*", "__pycache__", "*.egg-info", "atlases", "lpips", "installed")
MADE += ("results", "logs", "tests")
# What tells of a run and not of its results: dates, durations, machines.
OF_THE_RUN = ("provenance/", "crate/", "report/provenance.html", "failures.tsv")


def copy_sources(root: Path, folder: Path) -> Path:
    """Copy a checkout, with what kills jobs of it."""
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns(*MADE), dirs_exist_ok=True)
    shutil.copy(HOOK, folder / "src")
    (folder / "resources/installed").symlink_to(root.resolve() / "resources/installed")
    return folder


def seconds_of(folder: Path) -> dict[str, float]:
    """Return how long a job of each rule took in a run."""
    seconds: dict[str, list[float]] = {}
    for job in read_jobs(folder / "logs/jobs.tsv"):
        seconds.setdefault(job.rule, []).append(job.seconds)
    return {rule: sum(each) / len(each) for rule, each in seconds.items()}


def digest(path: Path) -> str:
    """Hash a result; of a history all but the seconds that an epoch took."""
    if path.name != "history.tsv":
        return sha256(path)
    with path.open(newline="") as handle:
        rows = [
            {key: value for key, value in row.items() if key != "seconds"}
            for row in csv.DictReader(handle, delimiter="\t")
        ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def results_of(folder: Path) -> dict[str, Path]:
    """Return the results of a run, by their paths from results/."""
    results = folder / "results"
    found = {}
    for parent, _, names in os.walk(results):
        for name in names:
            path = Path(parent, name)
            place = str(path.relative_to(results))
            if name != ".snakemake_timestamp" and not place.startswith(OF_THE_RUN):
                found[place] = path
    return found


def hash_all(folder: Path) -> dict[str, str]:
    """Hash the results of a run."""
    return {place: digest(path) for place, path in results_of(folder).items()}


def on_the_way(path: Path) -> bool:
    """Tell what is made on the way to a result: a folder in which it is written, a checkpoint."""
    return path.name == "checkpoint.pt" or any(part.startswith(".partial-") for part in path.parts)


def temporaries(folder: Path) -> list[str]:
    """List what was made on the way to a result and is still there."""
    return sorted(
        str(path.relative_to(folder))
        for top in ("results", "resources", "logs")
        for path in (folder / top).rglob("*")
        if (path.name.startswith(".") and path.name != ".snakemake_timestamp") or on_the_way(path)
    )


@dataclass
class FaultRun:
    """A folder in which the workflow runs while its jobs are killed.

    Attributes
    ----------
    folder, root
        Where it runs, and the sources with the hook (`copy_sources`).
    faults
        Rule, or `*` for all others, to the faults of its first jobs: `moment`, killed at a random
        moment; `rename`, killed when the first of its files has its name; `memory`, left with
        `memory_mb`.
    arguments
        Of every call of Snakemake, configuration and cores.
    expected
        Hashes of the results of an undisturbed run; None if there is none to compare with.
    seconds
        How long jobs of a rule take.
    snakemake
        Share of the faults that kill Snakemake instead of the job.
    others
        A finished run from which the results of all jobs are taken that no fault strikes, but for
        the rules in `anew`.
    wrong
        What must not be and was.
    """

    folder: Path
    root: Path
    faults: Mapping[str, Sequence[str]]
    arguments: Sequence[str] = ()
    expected: Mapping[str, str] | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    seed: int = 1
    snakemake: float = 0.25
    memory_mb: float = 100.0
    others: Path | None = None
    anew: Sequence[str] = ()
    calls: int = 0
    unlocked: int = 0
    checked: int = 0
    wrong: list[str] = field(default_factory=list)
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def marks(self) -> Path:
        """Folder in which every fault that happened has a file."""
        return self.folder.with_name(f"{self.folder.name}-marks")

    @property
    def said(self) -> str:
        """What the last call said."""
        return self.folder.with_name(f"{self.folder.name}.log").read_text(errors="replace")

    def struck(self) -> list[dict[str, Any]]:
        """Return the faults so far."""
        return [json.loads(path.read_text()) for path in sorted(self.marks.glob("*.*"))]

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start Snakemake."""
        self.marks.mkdir(exist_ok=True)
        (self.folder / "tmp").mkdir(exist_ok=True)
        plan = {
            "rules": {rule: list(kinds) for rule, kinds in self.faults.items()},
            "marks": str(self.marks),
            "driver": os.getpid(),
            "seed": self.seed,
            "seconds": dict(self.seconds),
            "snakemake": self.snakemake,
            "memory_mb": self.memory_mb,
            "others": str(self.others or ""),
            "anew": list(self.anew),
        }
        path = self.folder.with_name(f"{self.folder.name}-plan.json")
        path.write_text(json.dumps(plan))
        command = [sys.executable, "-m", "snakemake", "--snakefile", self.root / "Snakefile"]
        command += ["--directory", self.folder, *self.arguments, *arguments]
        ours = {"PYTHONPATH": str(self.root / "src"), "TMPDIR": str(self.folder / "tmp")}
        self.calls += 1
        with open(self.folder.with_name(f"{self.folder.name}.log"), "w") as said:
            return subprocess.Popen(
                list(map(str, command)),
                stdout=said,
                stderr=said,
                cwd=self.root,
                env={**os.environ, **ours, "MRI2PET_FAULTS": str(path)},
                start_new_session=True,
            )

    def call(self, *arguments: str) -> int:
        """Call Snakemake, and look at what it leaves."""
        code = self.start(*arguments).wait()
        self.check_processes()
        self.check_results()
        return code

    def until_done(self, *arguments: str) -> None:
        """Call Snakemake until everything is made; a call in which nothing was killed must do."""
        while True:
            before = len(self.struck())
            code = self.call(*arguments, "--keep-going")
            if code == 0:
                return
            if len(self.struck()) == before:
                raise RuntimeError(f"failed without a fault of ours:\n{self.said[-6000:]}")
            if code == -signal.SIGKILL:
                self.unlock(*arguments)

    def unlock(self, *arguments: str) -> None:
        """Free the folder after Snakemake was killed, the first time by its own advice."""
        if not self.unlocked and (self.call(*arguments) == 0 or "--unlock" not in self.said):
            self.wrong.append("a call after a kill of Snakemake did not ask for --unlock")
        if self.call("--unlock") != 0:
            raise RuntimeError(f"--unlock failed:\n{self.said[-3000:]}")
        self.unlocked += 1

    def check_processes(self) -> None:
        """No job may work on when Snakemake has ended."""
        for _ in range(100):
            left = [
                pid
                for pid in (int(path.name) for path in Path("/proc").glob("[0-9]*"))
                if self._is_ours(pid)
            ]
            if not left:
                return
            time.sleep(0.05)
        self.wrong.append(f"call {self.calls}: processes outlived Snakemake: {left}")
        for pid in left:
            os.kill(pid, signal.SIGKILL)

    def _is_ours(self, pid: int) -> bool:
        try:
            here = Path(f"/proc/{pid}/cwd").readlink()
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return here == self.folder.resolve() and state != "Z"

    def check_results(self) -> None:
        """Every file that has its name must be what an undisturbed run makes of it."""
        if self.expected is None:
            return
        for place, path in results_of(self.folder).items():
            status = path.stat()
            mark = status.st_mtime_ns, status.st_size
            if on_the_way(path) or self._seen.get(place) == mark:
                continue
            self._seen[place] = mark
            self.checked += 1
            if place not in self.expected:
                self.wrong.append(f"call {self.calls}: {place} is no result of the other run")
            elif digest(path) != self.expected[place]:
                self.wrong.append(f"call {self.calls}: {place} differs")

    def check_end(self) -> None:
        """Nothing is missing, left over or still to be done, and no job counts as failed."""
        there = results_of(self.folder)
        self.wrong += [
            f"{place} is missing" for place in sorted(set(self.expected or ()) - set(there))
        ]
        self.wrong += [
            f"{place} is too much" for place in sorted(set(there) - set(self.expected or there))
        ]
        self.wrong += [f"{name} is left over" for name in temporaries(self.folder)]
        self.wrong += [
            f"{told['rule']}: the job outlived Snakemake"
            for told in self.struck()
            if told["outlived"]
        ]
        with (self.folder / "results/failures.tsv").open(newline="") as handle:
            rows = list(csv.DictReader(handle, delimiter="\t"))
        self.wrong += [
            f"{row['stage']} counts as failed" for row in rows if row["kind"] == "failed"
        ]
