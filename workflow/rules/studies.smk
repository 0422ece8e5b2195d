"""The studies of the run, who reads them, and their visits."""

import csv
from functools import lru_cache

from snakemake.exceptions import IncompleteCheckpointException
from snakemake.logging import logger

from mri2pet.cohorts import find_reader, pet_told, reader_module, reader_symbols
from mri2pet.cohorts.adni.locate import image_stamp
from mri2pet.cohorts.bids.inheritance import sidecar_paths
from mri2pet.config.studies import make_study

STUDY = {system: config[system]["study"] for system in SYSTEMS}
FURTHER_STUDIES = {}  # of a system: studies beside its own that it takes people from
for system in SYSTEMS:
    if wanted := KNOWN_SYSTEMS[system].further_study(config):
        FURTHER_STUDIES[system] = wanted
STUDIES = {
    name: make_study(name, config["studies"][name])
    for name in dict.fromkeys([*STUDY.values(), *FURTHER_STUDIES.values()])
}
# Studies that a system shows, its own first.
SOURCES = {
    system: [STUDY[system], *([FURTHER_STUDIES[system]] if system in FURTHER_STUDIES else [])]
    for system in SYSTEMS
}
COHORT = f"{RESULTS}/cohort/{{study}}.tsv"
EXCLUSIONS = f"{RESULTS}/cohort/{{study}}_exclusions.tsv"
READER, READ_INPUTS = {}, {}  # of each study
SIMULATIONS = {}  # population to the study that is a simulation of it
SIMULATED_INPUTS = {}  # of a simulated study, what its reader will list once it is there
SIMULATED_SCANNERS = {}  # subject to the name of the MRI scanner that the headers will tell
# Subject and visit, of simulated people with PET, to what a rule makes of the truth about them, and
# to the folder of the visit in it.
TRUTHS = {}


def systems_of(study):
    """Return the systems that work on a study."""
    return [system for system in SYSTEMS if STUDY[system] == study]


def settings_of(study):
    """Return what a study's reader needs to know: its block, and what its systems ask for."""
    settings = dict(study.settings) | {"name": study.name}
    settings["simulated"] = study.simulated
    for system in systems_of(study.name):
        settings |= {key: config[system][key] for key in KNOWN_SYSTEMS[system].read_by}
        settings |= {"seed": config["seed"]} if KNOWN_SYSTEMS[system].split_once else {}
    return settings


for study in STUDIES.values():
    if study.simulated:
        population = config["studies"][study.name]["simulation"]["population"]
        if population in SIMULATIONS:
            raise WorkflowError(
                f"studies.{study.name}: the population {population} is simulated for "
                f"{SIMULATIONS[population]} already; a run has it once"
            )
        SIMULATIONS[population] = study.name
        READER[study.name] = study.reader
        continue
    try:
        name, why = study.reader, f"studies.{study.name}.reader"
        if not name:
            name, why = find_reader(study.raw, settings_of(study))
        READER[study.name] = name
        READ_INPUTS[study.name] = reader_module(name).list_inputs(study.raw, settings_of(study))
    except InputError as error:
        raise WorkflowError(str(error)) from None
    if workflow.is_main_process:
        logger.info(f"Study {study.name}: {study.raw} is read as {name} ({why}).")


# Of the PET of a study: its tracer, and the minutes after injection of the frames of a dynamic one
# that are averaged (None for all of them).
TRACERS, WINDOWS = {}, {}
for study in STUDIES.values():
    told = pet_told(READER[study.name], settings_of(study))
    TRACERS[study.name], WINDOWS[study.name] = told["tracer"], told["window"]


@lru_cache
def read_cohort(table, _modified):
    """Rows of a cohort table by (subject, visit)."""
    with open(table, newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t")
        return {(row["subject"], row["visit"]): row for row in rows}


@cache
def cohort_table(study):
    """Wait for the checkpoint of a study and return its table; once it is there it stays."""
    return getattr(checkpoints, f"{study}_cohort").get().output.table


def cohort(study):
    """Wait for the checkpoint of a study and return its table's rows by (subject, visit)."""
    table = cohort_table(study)
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
        where = " and ".join(COHORT.format(study=study) for study in found)
        raise WorkflowError(
            f"subject {key[0]}, visit {key[1]}: in {where or 'no cohort table of this run'}; it "
            "must be in one"
        )
    return found[0]


def visit_row(wildcards):
    """Return the row of one visit, from the table of the study that has it."""
    return cohort(study_of(wildcards))[wildcards.subject, wildcards.visit]


def of_visit(pattern):
    """Return an input function: `pattern` with what the visit's row says, its tracer for one."""
    return lambda wildcards: pattern.format(**visit_row(wildcards))


def raw_scan(modality):
    """Return an input function: the file, archive or folder with a visit's raw `mri` or `pet`."""
    return lambda wildcards: visit_row(wildcards)[f"{modality}_file"]


def sidecars_of(modality):
    """Return an input function: the JSON files of a BIDS dataset that tell of a visit's scan.

    A simulated scan's is written by the rule that writes the scan.
    """

    def paths(wildcards):
        study, scan = study_of(wildcards), Path(raw_scan(modality)(wildcards))
        if READER[study] != "bids" or STUDIES[study].simulated:
            return []
        return [str(path) for path in sidecar_paths(scan) if path.is_file()]

    return paths


def raw_key(modality):
    """Return a params function: by what a visit's scan is found in its folder or archive."""
    return lambda wildcards: visit_row(wildcards)[f"{modality}_member"]


def raw_stamp(modality):
    """Return a params function: a mark of a scan's files in a participant's folder of a download.

    Snakemake sees whether a folder is there, and not that a file in it was replaced. A simulated
    folder is a rule's output and has no mark: before that rule ran there would be another one.
    (Asking for the job's input here would keep Snakemake from comparing the mark with the last.)
    """

    def stamp(wildcards):
        scan = raw_scan(modality)(wildcards)
        if STUDIES[study_of(wildcards)].simulated or not Path(scan).is_dir():
            return "a file that Snakemake sees"
        return image_stamp(scan, raw_key(modality)(wildcards))

    return stamp


def space_study(space):
    """Return the study whose visits a space of the run holds."""
    for system in SYSTEMS:
        if space in (SPACE[system], SPACES[SPACE[system]].after):
            return STUDY[system]


def each_visit(pattern, space, kind=None):
    """Return an input function: `pattern` for every visit of a space's study (of one kind)."""

    def paths(_):
        rows = cohort(space_study(space)).values()
        return [pattern.format(**row) for row in rows if kind in (None, row["kind"])]

    return paths


# Stages of a visit with a QC picture, by space; `coregister` is there for a visit with a PET alone.
QC_STAGES = {
    "linear": ["acpc", "n4", "skullstrip", "register", "segment", "coregister"],
    "nonlinear": ["warp"],
    "anomaly": ["acpc", "n4", "skullstrip", "register", "segment", "warp", "coregister"],
}


def spaces_of(study):
    """Return the spaces that a study's visits are brought to."""
    own = [SPACE[system] for system in systems_of(study)]
    return [space for space in SPACES if space in own or space in {SPACES[s].after for s in own}]


def qc_pictures(_):
    """Return the QC pictures of every visit, stage by stage."""
    return [
        f"{RESULTS}/preproc/sub-{subject}/ses-{visit}/{'pet' if stage == 'coregister' else 'anat'}/"
        f"sub-{subject}_ses-{visit}_{stage}_qc.png"
        for study in STUDIES
        for (subject, visit), row in cohort(study).items()
        for stage in dict.fromkeys(
            s for space in spaces_of(study) for s in QC_STAGES.get(space, [])
        )
        if stage != "coregister" or row["kind"] == "paired"
    ]


def simulated_note(system):
    """Return what stands below the figures of a system whose study is simulated."""
    return "simulated cohort" if STUDIES[STUDY[system]].simulated else ""


# What the report shows: not what is of no concern to this run, so that a change of it runs nothing.
CONCERNED = {
    key: value for key, value in config.items() if key not in KNOWN_SYSTEMS or key in SYSTEMS
} | {
    "studies": {
        name: {
            key: value
            for key, value in config["studies"][name].items()
            if key != "simulation" or study.simulated
        }
        for name, study in STUDIES.items()
    }
}
