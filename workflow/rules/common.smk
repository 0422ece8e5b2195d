"""What rules share: the checked configuration, the cohort's visits, and lists to expand over."""

import csv
from functools import lru_cache
from pathlib import Path

from mri2pet.config import check_config
from mri2pet.errors import InputError

try:
    check_config(config, workflow.source_path("../schemas/config.schema.yaml"))
except InputError as error:
    raise WorkflowError(str(error)) from None

SIMULATED = config["raw"] == "simulated"
RAW = "results/simulated/ADNI" if SIMULATED else config["raw"].rstrip("/")
MODELS = list(config["gla_gan"]["models"])
FOLDS = list(range(config["folds"]["n"]))
METHODS = {
    "paired": ["real_pet", "mean_pet", *MODELS],
    "complete": ["only_mri", "real_pet", "mean_pet", *MODELS],
}
VISIT = "sub-{subject}/ses-{visit}"
NAME = "sub-{subject}_ses-{visit}"


@lru_cache
def read_cohort(table, _modified):
    """Rows of the cohort table by (subject, visit)."""
    with open(table, newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t")
        return {(row["subject"], row["visit"]): row for row in rows}


def cohort():
    """Wait for the cohort checkpoint and return its rows by (subject, visit)."""
    table = checkpoints.cohort.get().output.table
    return read_cohort(table, Path(table).stat().st_mtime_ns)


def visit_row(wildcards):
    """Return the cohort table's row of one visit."""
    return cohort()[wildcards.subject, wildcards.visit]


def raw_subject_folder(wildcards):
    """Return the raw folder of a visit's subject."""
    return f"{RAW}/{visit_row(wildcards)['ptid']}"


def each_visit(pattern, kind=None):
    """Return an input function: `pattern` filled in for every visit (of one kind)."""

    def paths(_):
        return [
            pattern.format(subject=subject, visit=visit)
            for (subject, visit), row in cohort().items()
            if kind in (None, row["kind"])
        ]

    return paths
