"""One rule packs the dataset of every space; its arrays are those that the space names."""

from mri2pet.datasets.enough import check_enough, people_of
from mri2pet.datasets.further_controls import held_back

ON_TEMPLATE = {
    "mask": "template's brain, a voxel if at least half of it is",
    "atlas": "AAL, label of the largest part of a voxel",
}
ON_NONE = {"mask": "every voxel"}


def held_back_of(space, visits):
    """Return the controls of a space, of these rows of a cohort, whom nothing may learn from."""
    told = PACKED[space].get("folds", {}).get("held_back")
    try:
        return held_back(visits, **told) if told else set()
    except InputError as error:
        raise WorkflowError(str(error)) from None


def enough_people(space, folds):
    """Return an input function that names no file: it refuses a cohort too small for its folds.

    The cohort is known before the first scan is opened; the folds are dealt after the last.
    """

    def nothing(wildcards):
        role = folds.get("role")
        visits = cohort(space_study(space)).values()
        try:
            back = held_back_of(space, visits)
            rows = [
                {**row, "group": role or row["group"]}
                for row in visits
                if not role or (row["role"] == role and row["subject"] not in back)
            ]
            people = people_of(rows, folds["groups"])
            told = {name: folds[name] for name in ("learnt", "key", "spare") if name in folds}
            told |= held_out_together(space, folds)
            # What only headers tell is checked where the folds are dealt.
            if told.get("units", {}) is not None:
                check_enough(people, folds["n"], config["seed"], **told)
        except InputError as error:
            raise WorkflowError(str(error)) from None
        return []

    return nothing


def enough_for_pairs(space, folds):
    """Return an input function that names no file: it refuses a cohort too small for cross-fitting."""

    def nothing(wildcards):
        wanted = [name for name, models in CROSS_FITTED.items() if models]
        for system in [name for name in wanted if folds_space(name) == space]:
            import pandas  # not before it is needed: it takes half a second

            from mri2pet.datasets.fold_pairs import check_pairs
            from mri2pet.datasets.folds import make_folds

            visits = pandas.DataFrame(list(cohort(space_study(space)).values()))
            together = held_out_together(space, folds)
            if together.get("units", {}) is None:
                return []
            try:
                check_pairs(
                    make_folds(visits, folds["n"], config["seed"], folds["groups"], **together),
                    config[system].get("training_groups", []),
                    f"{system}.diagnosis.cross_fitted",
                )
            except InputError as error:
                raise WorkflowError(str(error)) from None
        return []

    return nothing


for space, packed in PACKED.items():

    rule:
        name:
            f"pack_{space}"
        input:
            **packed["input"],
            enough=enough_people(space, packed["folds"]) if "folds" in packed else [],
            pairs=enough_for_pairs(space, packed["folds"]) if "folds" in packed else [],
        output:
            **{
                name: f"results/datasets/{space}/{name}.npy"
                for name in [
                    *packed["arrays"],
                    *(ON_TEMPLATE if "mask" in packed["input"] else ON_NONE),
                ]
            },
            visits=f"results/datasets/{space}/visits.tsv",
            description=f"results/datasets/{space}/dataset.json",
            excluded=f"results/datasets/{space}/excluded_scans.tsv",
        log:
            f"logs/pack_dataset/{space}.log",
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(2000),
            runtime=more(60),
        params:
            arrays=packed["arrays"],
            about={
                **(ON_TEMPLATE if "mask" in packed["input"] else ON_NONE),
                **{key: packed[key] for key in ("space", "intensity") if key in packed},
            },
            columns=packed.get("columns", ["kind"]),
            whole_atlas=packed.get("whole_atlas", True),
            ixi_controls=packed.get("ixi_controls", []),
            further_controls=packed.get("folds", {}).get("held_back", {}),
            code=code("pack_dataset.py"),
        script:
            "../../scripts/pack_dataset.py"


# Dealt once, by subject: in the spaces that have folds of their own.
for space, packed in PACKED.items():
    if "folds" in packed:

        rule:
            name:
                f"{space}_folds"
            input:
                **told_scanners(packed["folds"], f"results/datasets/{space}"),
                visits=f"results/datasets/{space}/visits.tsv",
            output:
                table=f"results/datasets/{space}/folds.tsv",
                description=f"results/datasets/{space}/folds.json",
            log:
                f"logs/make_folds/{space}.log",
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
