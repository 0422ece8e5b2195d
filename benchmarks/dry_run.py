"""Print the jobs of a paper's configuration on its simulated cohort, and how long that took.

    python benchmarks/dry_run.py [config/paper/gla_gan.yaml]

The cohort's table is made first, in a temporary folder (no image is). Seconds are wall-clock, and
of processor time, which other work on the machine does not stretch.
"""

import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
JOBS = re.compile(r"^(\w+) +(\d+)$", re.M)


def snakemake(folder: Path, config: Path, *arguments: str) -> str:
    """Call the workflow in a folder and return what it says."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "1"]
    command += ["--directory", folder, *arguments, "--configfile", config]
    return subprocess.run(
        list(map(str, command)), check=True, text=True, stdout=subprocess.PIPE, cwd=folder
    ).stdout


def processor_seconds() -> float:
    """Return the processor time of the programs called so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the table."""
    config = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "config/paper/gla_gan.yaml")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("config", "resources"):
            (folder / part).symlink_to(ROOT / part)
        snakemake(folder, config.resolve(), "results/cohort/cohort.tsv")
        visits = len((folder / "results/cohort/cohort.tsv").read_text().splitlines()) - 1
        start, before = time.perf_counter(), processor_seconds()
        listed = snakemake(folder, config.resolve(), "--dry-run")
        seconds, busy = time.perf_counter() - start, processor_seconds() - before
    print("| rule | jobs |\n|---|---|")
    for rule, jobs in JOBS.findall(listed.split("Job stats:")[1]):
        print(f"| {rule} | {jobs} |")
    print(f"\n{visits} visits, {seconds:.1f} s, {busy:.1f} s of processor time")


if __name__ == "__main__":
    main()
