"""The page that says where a run's results come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pandas as pd

from mri2pet.files import atomic
from mri2pet.provenance.records import Record, Records
from mri2pet.provenance.trace import packages

SHOWN = 12  # characters of a hash


@dataclass(frozen=True)
class Table:
    """A table of text with its title and caption."""

    title: str
    caption: str
    rows: pd.DataFrame


def write_page(path: str | Path, records: Records, excluded: pd.DataFrame, title: str) -> None:
    """Write the page as one HTML file.

    Parameters
    ----------
    path
        HTML to write.
    records
        Of the jobs on which the run's results depend.
    excluded
        Scans that were left out, as they are to be shown.
    title
        Heading of the page.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    folder = resources.files("mri2pet.reporting").joinpath("templates")
    template = environment.from_string(folder.joinpath("provenance.html.j2").read_text())
    jobs = records.jobs
    tables = [
        Table("The run", "", summary(jobs)),
        Table(
            "Code and environment",
            "Every combination that jobs ran with; changed sources mean that the working copy "
            "differed from the commit. The fingerprints below stand for the code itself.",
            environments(jobs),
        ),
        Table("Packages in use", "", _pairs(packages(jobs), "package", "version")),
        Table(
            "Where the tables come from",
            "Jobs on which a table depends, from the last to the first, and the raw files that "
            "these read.",
            chains(records),
        ),
        Table(
            "Stages",
            "The fingerprint changes with the code that a script uses, and with nothing else. "
            "Several stand for models whose networks differ.",
            stages(jobs),
        ),
        Table("What no job made", "Read from outside of the run.", sources(records)),
        Table("Excluded scans", "", excluded),
    ]
    with atomic(path) as partial:
        partial.write_text(template.render(title=title, tables=tables), encoding="utf-8")


def summary(jobs: Sequence[Record]) -> pd.DataFrame:
    """Sum up when and how much was run."""
    seconds = sum(job.content["seconds"] for job in jobs)
    files = {path: entry for job in jobs for path, entry in job.outputs.items()}
    seeds = sorted({str(job.content["seed"]) for job in jobs if job.content["seed"] is not None})
    return _pairs(
        {
            "first job began": min((job.content["started"] for job in jobs), default="n/a"),
            "last job ended": max((job.content["ended"] for job in jobs), default="n/a"),
            "jobs": len(jobs),
            "hours in jobs": f"{seconds / 3600:.2f}",
            "outputs": f"{len(files)}, {sum(e['size'] for e in files.values()) / 1e6:.0f} MB",
            "seeds": ", ".join(seeds) or "n/a",
        },
        "what",
        "value",
    )


def environments(jobs: Sequence[Record]) -> pd.DataFrame:
    """List commit, pins, Python, machine and device, with the number of their jobs."""
    rows = []
    for job in jobs:
        content = job.content
        commit, machine = content["commit"] or {}, content["machine"]
        rows.append(
            {
                "commit": commit.get("id", "n/a")[:SHOWN],
                "sources changed": {True: "yes", False: "no"}.get(commit.get("dirty"), "n/a"),
                "requirements.lock": (content["environment"]["lock_sha256"] or "n/a")[:SHOWN],
                "Python": content["environment"]["python"],
                "machine": machine["host"],
                "system": machine["system"],
                "processor": machine["processor"],
                "device": content["device"],
            }
        )
    table = pd.DataFrame(rows)
    return table.value_counts(sort=False).rename("jobs").reset_index() if rows else table


def chains(records: Records) -> pd.DataFrame:
    """Tell of every table how many jobs of which rules and how many raw files are behind it."""
    rows = []
    for path in sorted(records.made):
        if Path(path).parent.name != "tables":
            continue
        jobs = list(records.chain(path))
        rules: dict[str, int] = {}
        for job in jobs:
            rules[job.rule] = rules.get(job.rule, 0) + 1
        raw = {
            f"{folder}/{name}"
            for job in jobs
            for folder, entry in job.inputs.items()
            for name in entry.get("files", ())
        }
        rows.append(
            {
                "table": path,
                "sha256": records.made[path].outputs[path]["sha256"][:SHOWN],
                "jobs": len(jobs),
                "raw files": len(raw),
                "made by": ", ".join(f"{rule} {count}" for rule, count in rules.items()),
            }
        )
    return pd.DataFrame(rows)


def stages(jobs: Sequence[Record]) -> pd.DataFrame:
    """Tell of every rule how often and how long it ran, and with which code."""
    rows: dict[str, dict] = {}
    for job in jobs:
        row = rows.setdefault(
            job.rule, {"rule": job.rule, "script": "", "jobs": 0, "seconds": 0.0, "code": []}
        )
        row["script"] = job.content["script"]
        row["jobs"] += 1
        row["seconds"] += job.content["seconds"]
        if job.content["code"] not in row["code"]:
            row["code"].append(job.content["code"])
    for row in rows.values():
        row["seconds"] = f"{row['seconds']:.1f}"
        row["code"] = ", ".join(row["code"])
    return pd.DataFrame(rows.values())


def sources(records: Records) -> pd.DataFrame:
    """List what was read and made by no job; a folder stands for its files."""
    return pd.DataFrame(
        [
            {
                "source": path,
                "files": len(entry.get("files", [path])),
                "MB": f"{entry['size'] / 1e6:.1f}",
                "sha256": entry["sha256"][:SHOWN],
            }
            for path, entry in sorted(records.sources().items())
        ]
    )


def _pairs(values: dict, left: str, right: str) -> pd.DataFrame:
    """Make a table of two columns."""
    return pd.DataFrame(list(values.items()), columns=[left, right])
