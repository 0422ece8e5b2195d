"""Run the workflow, and print what of its time was not spent in a stage's own work.

    python benchmarks/overhead.py --cores 2 [any arguments of snakemake]
    python benchmarks/overhead.py --finished --cores 2

The second looks at the last run of this folder, which must have made all of results/: what its jobs
have in their records is the stages' own work, imports in the middle of it included. In the first,
all jobs run with Python's import profiler, which adds about a twentieth to the imports. Not a
stage's own work are: Snakemake's start, imports (of a job's modules, whenever they happen), what
Snakemake and Python need for a job that does nothing (measured apart), and cores that stood idle.
With `--cores 1` the imports of each rule are listed.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from mri2pet.runs.times import read_jobs, sum_times, wall_seconds

IMPORT = re.compile(r"^import time: +(\d+) \| +\d+ \| +(\S+)$")
RULE = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$")
BARE_JOBS = 10
BARE = f"""\
rule all:
    input: expand("{{n}}.txt", n=range({BARE_JOBS}))
rule one:
    output: "{{n}}.txt"
    script: "one.py"
"""


def snakemake(*arguments: str, folder: Path | None = None) -> list[str]:
    """Call snakemake with the import profiler and return the lines of its standard error."""
    call = subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        env=os.environ | {"PYTHONPROFILEIMPORTTIME": "1"},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    lines = call.stderr.splitlines()
    if call.returncode:
        sys.exit("\n".join(line for line in lines if not IMPORT.match(line)))
    return lines


def imports_by_rule(lines: list[str]) -> dict[str, float]:
    """Sum the seconds of imports by rule; those before the first job are Snakemake's own."""
    seconds: dict[str, float] = defaultdict(float)
    rule = "snakemake"
    for line in lines:
        if found := RULE.match(line):
            rule = found[1]
        elif found := IMPORT.match(line):
            seconds[rule] += int(found[1]) / 1e6
    return seconds


def bare_job() -> float:
    """Return the seconds of a job of a script that does nothing, imports of its start included."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "Snakefile").write_text(BARE)
        (folder / "one.py").write_text("open(snakemake.output[0], 'w').close()\n")
        started = time.perf_counter()
        snakemake("--cores", "1", "--dry-run", folder=folder)
        start = time.perf_counter() - started
        started = time.perf_counter()
        snakemake("--cores", "1", folder=folder)
        return max(0.0, time.perf_counter() - started - start) / BARE_JOBS


def finished_run(cores: int) -> None:
    """Print the shares of the run that made results/."""
    jobs = [job for job in read_jobs("logs/jobs.tsv") if job.state == "finished"]
    wall, busy = wall_seconds(jobs), sum(job.seconds for job in jobs)
    records = [json.loads(path.read_text()) for path in Path("results/provenance").rglob("*.json")]
    own = {  # the files of a job have the same record
        (record["rule"], record["started"], record["ended"]): record["seconds"]
        for record in records
        if "seconds" in record
    }
    parts = {
        "starts of jobs": busy - sum(own.values()),
        "cores idle, Snakemake between jobs": wall * cores - busy,
    }
    print(f"{len(jobs)} jobs, {len(own)} with a record, {wall:.0f} s on {cores} cores")
    print_shares(parts, wall * cores)


def print_shares(parts: dict[str, float], whole: float) -> None:
    """Print core-seconds and percent of the whole."""
    print("| not a stage's own work | core-seconds | % |\n|---|---|---|")
    for name, seconds in [*parts.items(), ("all", sum(parts.values()))]:
        print(f"| {name} | {seconds:.0f} | {100 * seconds / whole:.1f} |")


def main() -> None:
    """Run, and print the shares."""
    arguments = sys.argv[1:]
    cores = int(arguments[arguments.index("--cores") + 1])
    if "--finished" in arguments:
        finished_run(cores)
        return
    bare = bare_job()
    started = time.perf_counter()
    lines = snakemake(*arguments)
    wall = time.perf_counter() - started
    jobs = [job for job in read_jobs("logs/jobs.tsv") if job.state == "finished"]
    imports = imports_by_rule(lines)
    start = wall - max(job.started + job.seconds for job in jobs)
    busy = sum(job.seconds for job in jobs)
    parts = {
        "imports of the jobs": sum(imports.values()) - imports["snakemake"],
        "starting Python and the script": bare * len(jobs),
        "Snakemake's start and end": start * cores,
        "cores idle, Snakemake between jobs": (wall - start) * cores - busy,
    }
    print(f"{len(jobs)} jobs, {wall:.0f} s on {cores} cores; a job that does nothing: {bare:.2f} s")
    print_shares(parts, wall * cores)
    if cores == 1:
        print("\n| rule | jobs | mean s | of it imports s |\n|---|---|---|---|")
        for row in sum_times(jobs, lambda job: job.rule):
            each = imports[row.name] / row.jobs
            print(f"| {row.name} | {row.jobs} | {row.mean:.1f} | {each:.2f} |")


if __name__ == "__main__":
    main()
