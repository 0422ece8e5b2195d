"""What rules share: the checked configuration, the cohort's visits, and lists to expand over."""

import csv
import os
from functools import cache, lru_cache
from pathlib import Path

from mri2pet.ablations import FIGURES, figure_labels
from mri2pet.cohort.locate import check_raw_folder
from mri2pet.config import check_config
from mri2pet.errors import InputError
from mri2pet.models.registry import symbol_of
from mri2pet.provenance.fingerprint import fingerprint
from mri2pet.systems import ENTITIES, SPACE, system_models, told
from mri2pet.training.recipes import recipe_symbol

ROOT = Path(workflow.basedir)

# A system of `null`, as a configuration laid over another says it, is left out like one not there.
for system in SPACE:
    if config.get(system, {}) is None:
        del config[system]


def source_file(path):
    """Return the path of one of the project's own files, from the working directory."""
    return os.path.relpath(ROOT / path)


# Scripts import the library of this checkout, in whatever environment they run.
os.environ["PYTHONPATH"] = str(ROOT / "src")

SIMULATED = config.get("raw") == "simulated"
RAW = "results/simulated/ADNI" if SIMULATED else str(config.get("raw", "")).rstrip("/")
RAW_TABLES = [f"{RAW}/collection.csv", f"{RAW}/ADNIMERGE.csv"]

try:
    check_config(config, ROOT / "workflow/schemas/config.schema.yaml")
    if not SIMULATED:
        RAW_TABLES = sorted(str(path) for path in Path(RAW).glob("*.[cC][sS][vV]"))
        check_raw_folder(RAW, RAW_TABLES)
except InputError as error:
    raise WorkflowError(str(error)) from None

SYSTEMS = [name for name in SPACE if name in config and name in config.get("systems", SPACE)]
SPACES = list(dict.fromkeys(SPACE[system] for system in SYSTEMS))
for system in set(SPACE) - set(SYSTEMS):
    config.pop(system, None)  # checked, and of no concern to this run
ENTRIES = {system: system_models(config, system) for system in SYSTEMS}
MODELS = list(config["gla_gan"]["models"])
COMPARED = {figure: figure_labels(config["gla_gan"], figure) for figure in FIGURES}
ABLATIONS = [figure for figure in FIGURES if COMPARED[figure]]
FOLDS = list(range(config["folds"]["n"]))
METHODS = {
    "paired": ["real_pet", "mean_pet", *MODELS],
    "complete": ["only_mri", "real_pet", "mean_pet", *MODELS],
}
LABELS = {model: ENTRIES["gla_gan"][model]["label"] for model in MODELS}
TRAINING_GROUPS = config["gla_gan"].get("training_groups", [])
TUNING = {
    key: value
    for key, value in config["gla_gan"]["diagnosis"].items()
    if key in ("C", "gamma", "inner_folds")
}
THREE_WAY = config["gla_gan"]["diagnosis"].get("three_way", [])
DIAGNOSED = [config["gla_gan"]["diagnosis"][role] for role in ("positive", "negative")]
SIMULATED_NOTE = "simulated cohort" if SIMULATED else ""
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


@cache
def code(script, *symbols):
    """Return the fingerprint of a script and of all that it reaches in the library."""
    return fingerprint(ROOT / "workflow/scripts" / script, ROOT / "src/mri2pet", symbols)


QC_STAGES = ["acpc", "n4", "skullstrip", "register", "segment"]
QC_STAGES += ["warp"] if "nonlinear" in SPACES else []
QC_STAGES = {"mri_only": QC_STAGES, "paired": [*QC_STAGES, "coregister"]}


def qc_pictures(_):
    """Return the QC pictures of every visit, stage by stage."""
    return [
        f"results/preproc/sub-{subject}/ses-{visit}/{'pet' if stage == 'coregister' else 'anat'}"
        f"/sub-{subject}_ses-{visit}_{stage}_qc.png"
        for (subject, visit), row in cohort().items()
        for stage in QC_STAGES[row["kind"]]
    ]


def dataset_file(name):
    """Return an input function: a file of the dataset that a job's system works on."""
    return lambda wildcards: f"results/datasets/{SPACE[wildcards.system]}/{name}"


def space_entities(wildcards):
    """Return the space of a job's system as BIDS names it."""
    return ENTITIES[SPACE[wildcards.system]]


def tissue_file(name):
    """Return an input function: the same, or nothing where the dataset has no tissue maps."""
    return lambda wildcards: (
        dataset_file(name)(wildcards) if SPACE[wildcards.system] == "linear" else []
    )


def training_groups(wildcards):
    """Return the groups that a system's models learn from; all if none is named."""
    return config[wildcards.system].get("training_groups", [])


def model_entry(system, model):
    """Return a model's entry of the configuration, without what only names it."""
    return {key: value for key, value in ENTRIES[system][model].items() if key != "label"}


def model_code(system, model):
    """Return the networks of a model, which scripts reach by their configured names alone."""
    entry = ENTRIES[system][model]
    names = [entry[role]["name"] for role in ("generator", "discriminator") if role in entry]
    return [symbol_of(name) for name in names]


def training_code(system, model):
    """Return the networks of a model and its recipe, for what trains it."""
    return [*model_code(system, model), recipe_symbol(ENTRIES[system][model]["recipe"])]
