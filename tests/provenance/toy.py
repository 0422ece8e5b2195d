"""A run of three jobs in the working directory: raw scans, a conversion, a table of it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from fakes import Named
from mri2pet.provenance.record import recorded
from mri2pet.provenance.records import Records, read_records

ROOT = Path(__file__).parents[2]
RAW = "raw/001_S_0001"
IMAGE, SIDECAR = "results/bids/image.nii", "results/bids/image.json"
MAPS = "results/maps"
TABLE = "results/gla_gan/tables/table1.tsv"
CODE = {"convert.py": "c0de", "table.py": "7ab1e"}


def job(rule: str, read: list, written: list, params: Mapping | None = None) -> SimpleNamespace:
    """Return what a script gets from Snakemake."""
    return SimpleNamespace(
        rule=rule,
        input=read,
        output=written,
        params=Named(**(params or {})),
        wildcards=Named(subject="001S0001"),
        log=[f"logs/{rule}.log"],
        threads=1,
        scriptdir=str(ROOT / "workflow/scripts"),
    )


def raw_scans() -> None:
    """Write the scans that somebody downloaded."""
    for name in ("MPRAGE/I1/a_I1.dcm", "MPRAGE/I1/b_I1.dcm", "Other/I2/c_I2.dcm"):
        path = Path(RAW, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"scan {name}")


def convert() -> None:
    """Make an image, its sidecar and a folder of maps from one of the series."""
    params = {"seed": 3, "key": "1", "code": f"{CODE['convert.py']} convert.py mri2pet.a:b"}
    with recorded(job("convert", [RAW], [IMAGE, SIDECAR, MAPS], params)) as record:
        files = sorted(Path(RAW, "MPRAGE/I1").iterdir())
        record.reads(RAW, files)
        Path(MAPS, "deep").mkdir(parents=True, exist_ok=True)
        for path in (Path(MAPS, "one.npy"), Path(MAPS, "deep/two.npy"), Path(IMAGE)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(file.read_text() for file in files))
        Path(SIDECAR).write_text("{}\n")


def tabulate() -> None:
    """Make a table of the image and the maps."""
    params = {"columns": ["a", "b"], "code": f"{CODE['table.py']} table.py"}
    with recorded(job("table", [IMAGE, MAPS, SIDECAR], [TABLE], params)):
        Path(TABLE).parent.mkdir(parents=True, exist_ok=True)
        Path(TABLE).write_text("a\tb\n1\t2\n")


def run() -> None:
    """Run all of it."""
    raw_scans()
    convert()
    tabulate()


@contextmanager
def records() -> Iterator[Records]:
    """Run all of it and yield its records; logging is then as it was before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    run()
    yield read_records(["results/provenance"])
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)
