"""How jobs, the time to list them, memory and disk grow with the cohort and the folds.

    python benchmarks/scale.py [--visits 20 100 300 600] [--folds 2 3 10] [--results results]

Each row is one `snakemake --dry-run` of the default configuration, all four systems, on simulated
people. A cohort of 600 visits of ADNI comes with as many people of the other studies as their
papers have (epilepsy: 35 controls, 40 with an MRI alone, 17 patients; IXI: 355), a smaller one with
fewer in proportion. The cohorts' tables are made first, in a temporary folder (no image is). Wall
seconds are of this machine as busy as it is; processor seconds are not stretched by other work.
`--results` of a finished run adds what one visit and one fold of it take on the disk.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[1]
TABLES = [f"results/cohort/{name}.tsv" for name in ("dementia", "epilepsy", "ixi")]
FULL = 600  # visits at which the other studies are as large as in their papers


class Listing(NamedTuple):
    """What one dry run took."""

    jobs: int
    wall_s: float
    busy_s: float
    peak_mib: float


def sizes(visits: int, folds: int) -> dict[str, Any]:
    """Return the configuration of a cohort: 7 of 10 visits of ADNI have a PET."""
    share = visits / FULL
    paired, people = round(0.7 * visits), max(10, round(355 * share))
    held = max(1, round(people / 10))
    return {
        "studies": {
            "dementia": {
                "simulation": {"paired": paired, "mri_only": visits - paired, "second_visits": 0},
            },
            "epilepsy": {
                "simulation": {
                    "paired": max(2 * folds, round(35 * share)),
                    "mri_only": max(2, round(40 * share)),
                    "patients": max(2, round(17 * share)),
                },
            },
            "ixi": {"simulation": {"people": people}},
        },
        "folds": {"n": folds},
        "gan_anomaly": {"folds": {"n": folds}},
        "ixi": {"split": {"train": people - 3 * held, "val": held, "test": 2 * held}},
    }


def snakemake(folder: Path, *arguments: str) -> tuple[str, resource.struct_rusage]:
    """Call the workflow in a folder; return what it says and what it used."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "1"]
    command += ["--directory", folder, *arguments, "--configfile", folder / "sizes.yaml"]
    said = folder / "said.txt"
    with said.open("w") as out:
        process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=out, cwd=folder)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(said.read_text()[-3000:])
    return said.read_text(), used


def list_jobs(visits: int, folds: int) -> Listing:
    """Make the tables of a cohort, then list the jobs of a whole run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("config", "resources"):
            (folder / part).symlink_to(ROOT / part)
        (folder / "sizes.yaml").write_text(yaml.safe_dump(sizes(visits, folds)))
        snakemake(folder, *TABLES)
        start = time.perf_counter()
        said, used = snakemake(folder, "--dry-run", "--quiet", "rules")
        seconds = time.perf_counter() - start
    jobs = int(re.search(r"^total +(\d+)$", said, re.M)[1])
    return Listing(jobs, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def mebibytes(results: Path, *patterns: str) -> float:
    """Return the size of all files under the folders that match."""
    folders = [folder for pattern in patterns for folder in results.glob(pattern)]
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files) / 2**20


def print_disk(results: Path) -> None:
    """Print what a visit and a fold of a finished run take."""
    rows = (results / "cohort/dementia.tsv").read_text().splitlines()[1:]
    subjects = {row.split("\t")[0] for row in rows}
    print("\n| of ADNI, a visit | MiB |\n|---|---|")
    for part in ("bids", "preproc"):
        folders = [f"{part}/sub-{subject}" for subject in subjects]
        print(f"| results/{part} | {mebibytes(results, *folders) / len(rows):.1f} |")
    print(f"| simulated DICOM and truth | {mebibytes(results, 'simulated') / len(rows):.1f} |")
    print("\n| a fold, all models | MiB |\n|---|---|")
    for system in ("gla_gan", "dual_glow", "gan_anomaly", "ixi"):
        folds = len(list(results.glob(f"{system}/synthesis/mean_pet/fold-*"))) or 1
        size = mebibytes(results, f"{system}/models", f"{system}/synthesis") / folds
        print(f"| {system} | {size:.1f} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visits", type=int, nargs="+", default=[20, 100, 300, 600])
    parser.add_argument("--folds", type=int, nargs="+", default=[2, 3, 10])
    parser.add_argument("--results", type=Path, help="of a finished run")
    arguments = parser.parse_args()
    grown = [(visits, 3) for visits in arguments.visits]
    grown += [(arguments.visits[0], folds) for folds in arguments.folds if folds != 3]
    print("| visits of ADNI | folds | jobs | wall s | processor s | peak MiB |")
    print("|---|---|---|---|---|---|")
    for visits, folds in grown:
        listing = list_jobs(visits, folds)
        print(
            f"| {visits} | {folds} | {listing.jobs} | {listing.wall_s:.1f} "
            f"| {listing.busy_s:.1f} | {listing.peak_mib:.0f} |",
            flush=True,
        )
    if arguments.results:
        print_disk(arguments.results)


if __name__ == "__main__":
    main()
