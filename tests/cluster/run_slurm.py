"""Run a part of the workflow through a real Slurm of one node, and say what it cost.

    python tests/cluster/run_slurm.py [FOLDER]

Imaging of a few simulated people, in groups; one training, cancelled with scancel, and a second
call that finishes it. Prints what was measured as JSON. FOLDER keeps the results and Slurm's own
files; without one, a temporary folder does.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from one_node import OneNode, missing_programs

ROOT = Path(__file__).parents[2]
WEIGHTS = "results/gla_gan/models/unet/fold-0/generator.pt"
DATASET = "results/datasets/linear/folds.tsv"
TRAIN_LOG = "logs/train/gla_gan/unet_fold-0.log"
# Jobs are short: ask soon what became of them, and keep what Slurm logged.
OPTIONS = ["--slurm-init-seconds-before-status-checks", "1", "--slurm-status-command", "squeue"]
OPTIONS += ["--latency-wait", "10", "--slurm-keep-successful-logs", "--slurm-logdir", "logs/slurm"]


LIMIT = 1200  # seconds of a call of Snakemake, which takes one or two minutes on an idle machine


class Cluster:
    """A folder to run in, and the Slurm to run through."""

    def __init__(self, folder: Path, slurm: OneNode):
        self.folder, self.slurm = folder, slurm
        self.calls: list[subprocess.Popen] = []

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        for call in self.calls:
            if call.poll() is None:
                call.terminate()
                call.wait()

    def snakemake(self, *arguments: str) -> subprocess.Popen:
        """Start Snakemake with the profile; its words go to a file of the folder."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
        command += ["--profile", ROOT / "slurm", "--directory", self.folder, *arguments]
        command += OPTIONS
        command += [
            "--configfile",
            ROOT / "tests/workflow/mini.yaml",
            ROOT / "tests/cluster/small.yaml",
        ]
        with open(self.folder / "snakemake.log", "a") as log:
            call = subprocess.Popen(
                list(map(str, command)),
                cwd=self.folder,
                env=self.slurm.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.calls.append(call)
        return call

    def ask(self, *command: str) -> str:
        """Call one of Slurm's programs and return what it says."""
        return subprocess.run(
            command, env=self.slurm.environment, capture_output=True, text=True, check=True
        ).stdout

    def jobs(self) -> list[dict[str, str]]:
        """Return the jobs that Slurm has ended."""
        return self.slurm.finished_jobs()

    def wait_for(self, pattern: str, path: str, process: subprocess.Popen, seconds: int = 300):
        """Wait until a file holds a line; fail if the process ends before."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and process.poll() is None:
            file = self.folder / path
            if file.is_file() and re.search(pattern, file.read_text()):
                return
            time.sleep(0.2)
        raise RuntimeError(f"{path} did not come to hold {pattern!r}; see {self.folder}")


def seconds_of(job: dict[str, str]) -> float:
    """Return how long a job of Slurm took."""
    start, end = (datetime.fromisoformat(job[key]) for key in ("StartTime", "EndTime"))
    return (end - start).total_seconds()


def logged_seconds(log: Path) -> float:
    """Return the time between the first and the last line of a job's log."""
    stamps = re.findall(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3})", log.read_text(), re.M)
    first, last = (datetime.fromisoformat(f"{day}.{ms}") for day, ms in (stamps[0], stamps[-1]))
    return (last - first).total_seconds()


def run(folder: Path) -> dict[str, object]:
    """Do it all in a folder, and return what was found."""
    for part in ("config", "resources"):
        if not (folder / part).exists():
            (folder / part).symlink_to(ROOT / part)
    found: dict[str, object] = {}
    with OneNode(folder / "slurm") as slurm, Cluster(folder, slurm) as cluster:
        started = time.monotonic()
        if cluster.snakemake(DATASET).wait(LIMIT):
            raise RuntimeError(f"the imaging part failed; see {folder}/snakemake.log")
        jobs = cluster.jobs()
        found["imaging"] = {
            "slurm_jobs": len(jobs),
            "states": sorted({job["JobState"] for job in jobs}),
            "wall_seconds": round(time.monotonic() - started, 1),
            "job_seconds": [seconds_of(job) for job in jobs],
        }

        # A training that somebody cancels: no more attempts, and nothing that looks like weights.
        call = cluster.snakemake(WEIGHTS, "--retries", "0")
        cluster.wait_for(r"epoch 3 of", TRAIN_LOG, call)
        (job_id,) = cluster.ask("squeue", "--noheader", "--format=%i").split()
        asked = cluster.ask("scontrol", "show", "job", job_id)
        cluster.ask("scancel", job_id)
        found["cancelled"] = {
            "exit_code": call.wait(LIMIT),
            "gpus_asked_for": re.search(r"TresPerJob=(\S+)", asked)[1],
            "weights_there": (folder / WEIGHTS).exists(),
            "checkpoint_there": (folder / WEIGHTS).with_name("checkpoint.pt").exists(),
            "reason": (folder / "results/failures.tsv").read_text().splitlines()[1],
        }

        started, before = time.monotonic(), len(cluster.jobs())
        code = cluster.snakemake(WEIGHTS).wait(LIMIT)
        (job,) = cluster.jobs()[before:]
        text = (folder / TRAIN_LOG).read_text()
        found["second_call"] = {
            "exit_code": code,
            "weights_there": (folder / WEIGHTS).exists(),
            "went_on_after_epoch": int(re.search(r"going on after epoch (\d+)", text)[1]),
            "first_epoch": int(re.search(r"epoch (\d+) of", text)[1]),
            "wall_seconds": round(time.monotonic() - started, 1),
            "slurm_seconds": seconds_of(job),
            "training_seconds": round(logged_seconds(folder / TRAIN_LOG), 1),
        }
    return found


def main() -> None:
    """Print what was found as JSON."""
    if missing := missing_programs():
        sys.exit(f"not installed: {', '.join(missing)}")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="slurm-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    print(json.dumps(run(folder), indent=2))


if __name__ == "__main__":
    main()
