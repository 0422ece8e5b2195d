"""Run the workflow, and print what of its time was not spent in a stage's own work.

    python benchmarks/overhead.py --cores 2 [any arguments of snakemake]

All jobs run with Python's import profiler, which adds about a twentieth to the imports. Not a
stage's own work are: Snakemake's start, imports (of a job's modules, whenever they happen), what
Snakemake and Python need for a job that does nothing (measured apart), and cores that stood idle.
With `--cores 1` the imports of each rule are listed.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from mri2pet.runs.times import read_jobs, sum_times

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


def main() -> None:
    """Run, and print the shares."""
    arguments = sys.argv[1:]
    cores = int(arguments[arguments.index("--cores") + 1])
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
    whole = wall * cores
    print(f"{len(jobs)} jobs, {wall:.0f} s on {cores} cores; a job that does nothing: {bare:.2f} s")
    print("| not a stage's own work | core-seconds | % |\n|---|---|---|")
    for name, seconds in [*parts.items(), ("all", sum(parts.values()))]:
        print(f"| {name} | {seconds:.0f} | {100 * seconds / whole:.1f} |")
    if cores == 1:
        print("\n| rule | jobs | mean s | of it imports s |\n|---|---|---|---|")
        for row in sum_times(jobs, lambda job: job.rule):
            each = imports[row.name] / row.jobs
            print(f"| {row.name} | {row.jobs} | {row.mean:.1f} | {each:.2f} |")


if __name__ == "__main__":
    main()
