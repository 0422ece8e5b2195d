"""What models are trained on, packed apart: a person with an MRI alone trains nothing again.

Of a space with PET: the visits of people who have a PET, patients of the anomaly study left out. The
dataset of all visits, from which PET is synthesised and measured, is packed beside it (pack.smk).
"""

import re

LEARNT = {space: packed for space, packed in PACKED.items() if "pet" in packed["arrays"]}


def learnt_rows(space):
    """Return the rows of the cohort of people who can be learnt from, in its order."""
    rows = cohort(space_study(space)).values()
    people = {row["subject"] for row in rows if row["kind"] == "paired"}
    people -= held_back_of(space, rows)
    return [row for row in rows if row["subject"] in people and row["role"] != "patient"]


def of_learnt(space, given):
    """Return an input function: those of some files of visits that are of `learnt_rows`."""

    def paths(wildcards):
        own = {(row["subject"], row["visit"]) for row in learnt_rows(space)}
        found = [(re.search("/sub-([^/]+)/ses-([^/]+)/", path), path) for path in given(wildcards)]
        return [path for key, path in found if key.groups() in own]

    return paths


def learnt_arrays(space):
    """Return the arrays that models of a space can be trained on, with their words.

    All of them, used or not: a further model is no reason to pack them, and to train, again.
    """
    wanted = {*SPACES[space].maps, "pet", "seen"}
    return {name: words for name, words in LEARNT[space]["arrays"].items() if name in wanted}


def waiting(space):
    """Return an input function that names no file: it waits for a space's cohort.

    Once the cohort is known, Snakemake judges anew the jobs that wait for it, and no others: those
    that it has planned below them in the meantime it runs, needed or not.
    """
    return lambda wildcards: learnt_rows(space) and []


def waiting_to_learn(wildcards):
    """Wait, as `waiting`, for the cohort that a job's model is trained on."""
    space = SPACE[wildcards.system]
    return waiting(space)(wildcards) if space in LEARNT else []


def learnt_rows_of(space):
    """Return a params function: the table of `learnt_rows`."""
    return lambda wildcards: [dict(row) for row in learnt_rows(space)]


def learnt_input(space):
    """Return the inputs of what packs a space's visits to learn from."""
    names = {*learnt_arrays(space), "mri_sidecar", "pet_sidecar"}
    given = LEARNT[space]["input"]
    return {name: of_learnt(space, given[name]) for name in given if name in names}


for space, packed in LEARNT.items():

    # Its content, and so what is trained, depends on these rows of the cohort table alone.
    rule:
        name:
            f"{space}_learnt"
        input:
            cohort=waiting(space),
        output:
            f"results/datasets/{space}/learnt/cohort.tsv",
        log:
            f"logs/learnt/{space}.log",
        localrule: True
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(1000),
            runtime=more(10),
        params:
            rows=learnt_rows_of(space),
            code=code("learnt_rows.py"),
        script:
            "../../scripts/learnt_rows.py"

    rule:
        name:
            f"pack_{space}_learnt"
        input:
            **TEMPLATE_GRIDS,
            **learnt_input(space),
            cohort=f"results/datasets/{space}/learnt/cohort.tsv",
        output:
            **{
                name: f"results/datasets/{space}/learnt/{name}.npy"
                for name in [*learnt_arrays(space), *ON_TEMPLATE]
            },
            visits=f"results/datasets/{space}/learnt/visits.tsv",
            description=f"results/datasets/{space}/learnt/dataset.json",
            excluded=f"results/datasets/{space}/learnt/excluded_scans.tsv",
        log:
            f"logs/pack_dataset/{space}_learnt.log",
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(2000),
            runtime=more(60),
        params:
            arrays=learnt_arrays(space),
            about={**ON_TEMPLATE, "space": packed["space"]},
            columns=packed.get("columns", ["kind"]),
            whole_atlas=packed.get("whole_atlas", True),
            code=code("pack_dataset.py"),
        script:
            "../../scripts/pack_dataset.py"

    if "folds" in packed:

        # Those of the whole dataset: people with an MRI alone are dealt to folds after all others.
        rule:
            name:
                f"{space}_learnt_folds"
            input:
                **told_scanners(packed["folds"], f"results/datasets/{space}/learnt"),
                visits=f"results/datasets/{space}/learnt/visits.tsv",
                cohort=waiting(space),
            output:
                table=f"results/datasets/{space}/learnt/folds.tsv",
                description=f"results/datasets/{space}/learnt/folds.json",
            log:
                f"logs/make_folds/{space}_learnt.log",
            localrule: True
            conda:
                "../../../envs/stats.yaml"
            resources:
                mem_mb=more(1000),
                runtime=more(10),
            params:
                **held_out_by(packed["folds"]),
                n=packed["folds"]["n"],
                groups=packed["folds"]["groups"],
                role=packed["folds"].get("role", ""),
                seed=config["seed"],
                code=code("make_folds.py"),
            script:
                "../../scripts/make_folds.py"
