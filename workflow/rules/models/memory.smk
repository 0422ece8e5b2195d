"""Memory of the jobs with a network: by the counted size of their network and volumes."""

from mri2pet.datasets.selection import held_out, select_training, synthesis_rows
from mri2pet.files import read_tsv
from mri2pet.runs import gpus
from mri2pet.training.memory import Footprints, Volumes, synthesis_mb, training_mb

FOOTPRINTS = Footprints(Path(".snakemake/mri2pet/footprints.json"), FINGERPRINTS.state)
NAME_OF = workflow.modifier.modify_rulename  # in a workflow that this one is a module of


def on_gpu(rule):
    """Tell whether a rule computes on a GPU: if it asks for one, and on this machine one is there."""
    asked = workflow.get_rule(NAME_OF(rule)).resources
    asks = any(name in asked and asked[name].value != 0 for name in ("gpu", "gres"))
    return asks and (workflow.resource_settings.nodes is not None or bool(gpus.count_gpus()))


def matters():
    """Tell whether anything follows from the memory that jobs ask for: to count it takes seconds."""
    limited = {"mem", "mem_mb"} & set(workflow.global_resources)
    return workflow.resource_settings.nodes is not None or bool(limited)


def tables_of(input):
    """Return the tables of a job's visits and folds; no folds in a study that is split once."""
    paths = (input.visits, input.get("folds"))
    return [read_tsv(str(path), dtype={"subject": str}) if path else None for path in paths]


def counted(system, model, input, source):
    """Return what a job's volumes are, and what its network takes of them; None if not counted."""
    if not matters():
        return None, None
    crop = config[system].get("crop", 0)
    volumes = Volumes.of(str(input[source]), str(input.mask), crop)
    return volumes, FOOTPRINTS.of(TRAINED[system], model, volumes.shown)


def training_memory(otherwise):
    """Return the resource of a training; so many MB `otherwise`, where nothing can be counted."""

    def amount(wildcards, input, attempt):
        system, model, fold = wildcards.system, wildcards.model, held_out(wildcards.fold)
        volumes, size = counted(system, model, input, "source")
        if size is None:
            return otherwise * attempt
        people = config[system].get("validation", {}).get("people", 0)
        try:
            few = TRAINED[system][model].get("people", 0)
            chosen = (training_groups(wildcards), people, config["seed"], few)
            rows, held = select_training(*tables_of(input), fold, *chosen)
        except InputError:  # the job says what is wrong
            return otherwise * attempt
        learnt = len(rows) + len(held)
        return attempt * training_mb(size, volumes, learnt, on_gpu("train"), not held.empty)

    return amount


def synthesis_memory(rule, otherwise, source="mri", system=None, model=None, number=None, draws=0):
    """Return the resource of a rule that uses a generator, as `training_memory`.

    `system` and `model` stand for wildcards that the rule does not have, `number` for the volumes
    that it makes where these are not those of a synthesis.
    """

    def amount(wildcards, input, attempt):
        own = system or wildcards.system, model or wildcards.model
        volumes, size = counted(*own, input, source)
        if size is None:
            return otherwise * attempt
        try:
            rows = number or len(synthesis_rows(*tables_of(input), held_out(wildcards.fold)))
        except InputError:
            return otherwise * attempt
        return attempt * synthesis_mb(size, volumes, rows, on_gpu(rule), draws)

    return amount


def drawing_memory(rule, otherwise):
    """Return the resource of a rule that draws PET as a system's `synthesis` says."""

    def amount(wildcards, input, attempt):
        draws = config[wildcards.system].get("synthesis", {}).get("draws", 0)
        return synthesis_memory(rule, otherwise, "source", draws=draws)(wildcards, input, attempt)

    return amount
