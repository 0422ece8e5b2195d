"""What rules share: the checked configuration, the cohort's visits, and lists to expand over."""

import copy
import csv
import os
import sys
from functools import cache, lru_cache
from pathlib import Path

from snakemake.exceptions import IncompleteCheckpointException

from mri2pet.config.ablations import FIGURES, figure_labels
from mri2pet.cohorts.adni.locate import check_raw_folder, image_stamp
from mri2pet.config.check import check_config
from mri2pet.errors import InputError
from mri2pet.logs import name_parent
from mri2pet.models.registry import symbol_of
from mri2pet.provenance.fingerprint import fingerprint
from mri2pet.starts.hook import start_warm
from mri2pet.config.systems import ENTITIES, SPACE, SPLIT_ONCE, STUDY
from mri2pet.config.systems import configuration, system_models, told
from mri2pet.training.recipes import recipe_symbol

ROOT = Path(workflow.basedir)
GIVEN = copy.deepcopy(config)  # as the user gave it, before anything is taken out

# A system of `null`, as a configuration laid over another says it, is left out like one not there.
for system in SPACE:
    if config.get(system, {}) is None:
        del config[system]


def source_file(path):
    """Return the path of one of the project's own files, from the working directory."""
    return os.path.relpath(ROOT / path)


# Scripts import the library of this checkout, in whatever environment they run, and end with us.
os.environ["PYTHONPATH"] = str(ROOT / "src")
name_parent()
# Jobs run side by side, a core each; and products of matrices add up in one order.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
start_warm(lambda rule: Path(str(workflow.get_rule(rule).conda_env)).stem)


def more(amount):
    """Return a resource that is `amount`, and as much again at each further attempt."""
    return lambda wildcards, attempt: amount * attempt


SIMULATED = config.get("raw") == "simulated"
RAW = "results/simulated/ADNI" if SIMULATED else str(config.get("raw", "")).rstrip("/")
RAW_TABLES = [f"{RAW}/collection.csv", f"{RAW}/ADNIMERGE.csv"]

try:
    check_config(config, ROOT / "workflow/schemas/config.schema.yaml")
    SYSTEMS = [name for name in SPACE if name in config and name in config.get("systems", SPACE)]
    STUDIES = list(dict.fromkeys(STUDY[system] for system in SYSTEMS))
    if "adni" in STUDIES and not SIMULATED:
        RAW_TABLES = sorted(str(path) for path in Path(RAW).glob("*.[cC][sS][vV]"))
        check_raw_folder(RAW, RAW_TABLES)
except InputError as error:
    raise WorkflowError(str(error)) from None
TRACED = config.pop("file", "")  # a question to `trace`, not a setting

# What the report shows: not what is of no concern to this run, so that a change of it runs nothing.
CONCERNED = {
    key: value
    for key, value in config.items()
    if (key not in SPACE or key in SYSTEMS) and (key != "simulation" or SIMULATED)
}
PET_SYSTEMS = [system for system in SYSTEMS if STUDY[system] != "ixi"]
SPACES = list(dict.fromkeys(SPACE[system] for system in SYSTEMS))
ENTRIES = {system: system_models(config, system) for system in {*SYSTEMS, "gla_gan"}}
MODELS = list(config["gla_gan"]["models"])
COMPARED = {figure: figure_labels(config["gla_gan"], figure) for figure in FIGURES}
ABLATIONS = [figure for figure in FIGURES if COMPARED[figure]]
FOLDS = list(range(config["folds"]["n"]))  # of ADNI; `folds_of` knows those of any system
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
IXI_SIMULATED = config.get("ixi", {}).get("raw") == "simulated"
SIMULATED_NOTE = "simulated cohort" if SIMULATED else ""
VISIT = "sub-{subject}/ses-{visit}"
NAME = "sub-{subject}_ses-{visit}"


# What finds out which visits a study has, by tables alone: its checkpoint's name, and its table.
COHORTS = {
    "adni": ("cohort", "results/cohort/cohort.tsv"),
    "ixi": ("ixi_cohort", "results/cohort/ixi.tsv"),
}
EXCLUSIONS = {
    "adni": "results/cohort/exclusions.tsv",
    "ixi": "results/cohort/ixi_exclusions.tsv",
}


@lru_cache
def read_cohort(table, _modified):
    """Rows of a cohort table by (subject, visit)."""
    with open(table, newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t")
        return {(row["subject"], row["visit"]): row for row in rows}


def cohort(study="adni"):
    """Wait for the checkpoint of a study and return its table's rows by (subject, visit)."""
    table = getattr(checkpoints, COHORTS[study][0]).get().output.table
    return read_cohort(table, Path(table).stat().st_mtime_ns)


def study_of(wildcards):
    """Return the study whose table has a visit.

    A table that is not there yet is waited for only if no other has the visit: Snakemake does not
    see what must run again below a checkpoint that it meets below another one.
    """
    key = wildcards.subject, wildcards.visit
    found, unknown = [], None
    for study in STUDIES:
        try:
            found += [study] if key in cohort(study) else []
        except IncompleteCheckpointException as error:
            unknown = error
    if unknown is not None and not found:
        raise unknown
    if len(found) != 1:
        where = " and ".join(COHORTS[study][1] for study in found) or "no cohort table of this run"
        raise WorkflowError(f"subject {key[0]}, visit {key[1]}: in {where}; it must be in one")
    return found[0]


def visit_row(wildcards):
    """Return the row of one visit, from the table of the study that has it."""
    return cohort(study_of(wildcards))[wildcards.subject, wildcards.visit]


def raw_scan(modality):
    """Return an input function: where a visit's raw `mri` or `pet` lies.

    Of ADNI that is the participant's folder; a study whose table names the file has that.
    """

    def path(wildcards):
        row = visit_row(wildcards)
        return row.get(f"{modality}_file") or f"{RAW}/{row['ptid']}"

    return path


def raw_key(modality):
    """Return a params function: by what a visit's scan is found in its folder or archive."""

    def key(wildcards):
        row = visit_row(wildcards)
        return row.get(f"{modality}_image_id") or row[f"{modality}_member"]

    return key


def raw_stamp(modality):
    """Return a params function: a mark of a scan's files in a participant's folder of a download.

    Snakemake sees whether a folder is there, and not that a file in it was replaced. A simulated
    folder is a rule's output and has no mark: before that rule ran there would be another one.
    (Asking for the job's input here would keep Snakemake from comparing the mark with the last.)
    """

    def stamp(wildcards):
        image_id = visit_row(wildcards).get(f"{modality}_image_id")
        if SIMULATED or not image_id:
            return "a file that Snakemake sees"
        return image_stamp(raw_scan(modality)(wildcards), image_id)

    return stamp


def each_visit(pattern, kind=None, study="adni"):
    """Return an input function: `pattern` filled in for every visit of a study (of one kind)."""

    def paths(_):
        return [
            pattern.format(subject=subject, visit=visit)
            for (subject, visit), row in cohort(study).items()
            if kind in (None, row["kind"])
        ]

    return paths


@cache
def code(script, *symbols):
    """Return the fingerprint of a script and of all that it reaches, and what it is of.

    The audit of a record computes the fingerprint again from the names.
    """
    mark = fingerprint(ROOT / "workflow/scripts" / script, ROOT / "src/mri2pet", symbols)
    return " ".join([mark, script, *symbols])


# Stages with a QC picture, by study; `coregister` is there for a visit with a PET alone.
QC_STAGES = {"adni": ["acpc", "n4", "skullstrip", "register", "segment", "coregister"]}
QC_STAGES["ixi"] = []
QC_STAGES["adni"] += ["warp"] if "nonlinear" in SPACES else []
FURTHER_LABELS = {}  # labels of what a system's tables and figures have beside its models
SHOWN = {}  # what the report shows of each system: the rules of a system put their files here
SOURCES = {system: [STUDY[system]] for system in SYSTEMS}  # the studies that it shows


def qc_pictures(_):
    """Return the QC pictures of every visit, stage by stage."""
    return [
        f"results/preproc/sub-{subject}/ses-{visit}/{'pet' if stage == 'coregister' else 'anat'}"
        f"/sub-{subject}_ses-{visit}_{stage}_qc.png"
        for study in STUDIES
        for (subject, visit), row in cohort(study).items()
        for stage in QC_STAGES[study]
        if stage != "coregister" or row["kind"] == "paired"
    ]


def simulated_note(system):
    """Return what stands below the figures of a system whose cohort is simulated."""
    raw = config[system].get("raw", config.get("raw"))
    return "simulated cohort" if raw == "simulated" else ""


def folds_of(system):
    """Return the folds of a system: its own, one where people are split once, or those of ADNI."""
    own = {"n": 1} if system in SPLIT_ONCE else config[system].get("folds")
    return list(range(own["n"])) if own else FOLDS


def each_fold(pattern):
    """Return an input function: `pattern` for every fold of a job's system."""
    return lambda wildcards: [
        pattern.format(**{**dict(wildcards.items()), "fold": fold})
        for fold in folds_of(wildcards.system)
    ]


def folds_file(wildcards):
    """Return the table of folds of a job's system; nothing where people are split once."""
    if wildcards.system in SPLIT_ONCE:
        return []
    space = SPACE[wildcards.system] if config[wildcards.system].get("folds") else "linear"
    return f"results/datasets/{space}/folds.tsv"


def dataset_file(name):
    """Return an input function: a file of the dataset that a job's system works on."""
    return lambda wildcards: f"results/datasets/{SPACE[wildcards.system]}/{name}"


def space_entities(wildcards):
    """Return the space of a job's system as BIDS names it."""
    return ENTITIES[SPACE[wildcards.system]]


def tissue_files(system, name):
    """Return a tissue map of a system's dataset; nothing where it has none."""
    return f"results/datasets/linear/{name}" if SPACE[system] == "linear" else []


def of_folds(system, pattern):
    """Return files of a system, one a fold; other wildcards stay as they are."""
    return expand(f"results/{system}/{pattern}", fold=folds_of(system), allow_missing=True)


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
