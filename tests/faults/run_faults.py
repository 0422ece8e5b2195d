"""Kill a job of every rule, or Snakemake in it, and see the run come to the same results.

    python tests/faults/run_faults.py FOLDER [--reference FOLDER] [--faults moment rename]

The small run of tests/workflow, two scans of which are spoiled on the way, is made in FOLDER: of
each rule the first job to begin is killed, at a random moment of the time that such a job takes,
and for a part of the rules Snakemake instead; then everything is called again until nothing is left
to do. With `--short` only the jobs that were killed are computed again, and the results of all
others are taken from the undisturbed run. After each call every file that is there is compared with
that of an undisturbed run, which is `--reference`, another run of this script, or is made first.
Prints a table of what was done; the exit code is 1 if anything is wrong.
"""

import argparse
import csv
import os
import platform
import re
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests/workflow")]

from fault_run import FaultRun, copy_sources, hash_all, seconds_of  # noqa: E402
from small_run import Run, first_targets, spoil  # noqa: E402

TOUCHED = "results/simulated/ADNI/"  # where scans are spoiled on purpose, as the audit says


def prepare(folder: Path, root: Path, atlases: Path | None) -> None:
    """Make the folder of a run, with what the workflow looks for; atlases may be ready-made."""
    (folder / "resources").mkdir(parents=True)
    (folder / "config").symlink_to(root / "config")
    if atlases is None:
        packages = Path("resources/packages.tsv")
        (folder / packages).symlink_to(root / packages)
    else:
        shutil.copytree(atlases, folder / "resources/atlases")


def make(run: FaultRun, atlases: Path | None, expected: dict[str, str] | None = None) -> None:
    """Make everything, with two scans spoiled as in the tests, from where on it is compared."""
    small = Run(run.folder, run.root)
    prepare(run.folder, run.root, atlases)
    if "--config" not in run.arguments:  # all systems, ADNI's among them
        run.until_done("results/cohort/dementia.tsv")
        raw, alone, again = first_targets(small)
        run.until_done(*raw)
        spoil(small, alone, again)
    run.expected = expected
    run.until_done()


def audit(run: FaultRun) -> int:
    """Audit the run; return the number of findings about the scans that were spoiled."""
    run.call("audit")
    with (run.folder / "results/provenance/audit.tsv").open(newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    bad = [row for row in rows if not row["file"].startswith(TOUCHED)]
    run.wrong += [f"audit: {row['finding']} {row['file']}: {row['reason']}" for row in bad]
    return len(rows) - len(bad)


def not_run(run: FaultRun) -> list[str]:
    """Return the rules of which nothing was run."""
    run.call("--list-rules")
    rules = {line.strip() for line in run.said.splitlines() if re.fullmatch(r"\w+", line.strip())}
    return sorted(rules - {told["rule"] for told in run.struck()})


def table(run: FaultRun, reference: str, files: int, spoiled: int | None, seconds: float) -> str:
    """Return what was done as a Markdown table."""
    struck = run.struck()
    ends = Counter(told["when"] for told in struck)
    some = sum(0 < told["there"] < told["outputs"] for told in struck)
    rows = {
        "rules of which a job was killed": len({told["rule"] for told in struck}),
        "kills": len(struck),
        "... of the job": sum(told["victim"] == "job" for told in struck),
        "... of Snakemake": sum(told["victim"] == "Snakemake" for told in struck),
        **{f"... {when}": count for when, count in sorted(ends.items())},
        "... with some of its outputs there and others not": some,
        "calls of Snakemake until all was made": run.calls,
        "`--unlock` after a kill of Snakemake": run.unlocked,
        "files looked at after a call": run.checked,
        f"results compared at the end ({reference})": files,
        "findings of the audit (the two scans spoiled on purpose apart)": (
            "-" if spoiled is None else sum(line.startswith("audit:") for line in run.wrong)
        ),
        "things that were wrong": len(run.wrong),
        "seconds": round(seconds),
    }
    lines = [f"| {what} | {value} |" for what, value in rows.items()]
    here = f"{platform.machine()}, {os.cpu_count()} hyper-threads, load {os.getloadavg()[0]:.1f}"
    return "\n".join([f"| Python {platform.python_version()}, {here} | |", "|---|---|", *lines])


def main(argv: list[str] | None = None) -> int:
    """Run it; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="to run in; must not be there")
    parser.add_argument("--reference", type=Path, help="a finished, undisturbed run of the same")
    parser.add_argument(
        "--short", action="store_true", help="compute what was killed, take over the rest"
    )
    parser.add_argument("--atlases", type=Path, help="ready-made resources/atlases to copy")
    parser.add_argument("--systems", nargs="+", help="of the configuration; all by default")
    parser.add_argument("--faults", nargs="+", default=["moment"], choices=["moment", "rename"])
    parser.add_argument("--snakemake", type=float, default=0.25, help="share that kill Snakemake")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", default="2")
    given = parser.parse_args(argv)
    given.folder.mkdir(parents=True)
    root = copy_sources(ROOT, given.folder.resolve() / "sources")
    arguments = ["--config", f"systems=[{','.join(given.systems)}]"] if given.systems else []
    arguments += ["--configfile", str(ROOT / "tests/workflow/mini.yaml"), "--cores", given.cores]
    if given.reference is None:
        given.reference = given.folder.resolve() / "undisturbed"
        make(FaultRun(given.reference, root, {}, arguments), given.atlases)
    expected = hash_all(given.reference)
    began = time.monotonic()
    run = FaultRun(
        given.folder.resolve() / "killed",
        root,
        {"*": given.faults, "audit": []},
        arguments,
        seconds=seconds_of(given.reference),
        seed=given.seed,
        snakemake=given.snakemake,
        others=given.reference.resolve() if given.short else None,
        anew=["simulate_subject"],  # whose results are spoiled later
    )
    make(run, given.atlases, expected)
    seconds = time.monotonic() - began
    run.check_end()
    if run.call("-n") or "Nothing to be done" not in run.said:
        run.wrong.append("a dry run finds something left to do")
    spoiled = None if given.short else audit(run)
    print(table(run, given.reference.name, len(expected), spoiled, seconds))
    print(f"\nRules that were not run: {', '.join(not_run(run))}")
    left = sorted(path.name for path in (run.folder / "tmp").iterdir())
    print(f"Left in the folder for temporary files: {len(left)} ({', '.join(left[:9])})")
    print("\n".join(["", *run.wrong]) if run.wrong else "\nNothing was wrong.")
    return bool(run.wrong)


if __name__ == "__main__":
    sys.exit(main())
