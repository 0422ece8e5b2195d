"""Intervals of synthetic PET: of what each voxel tells by itself, of repeated trainings, their table."""

from mri2pet.config.systems import FLOW, RECTIFIED
from mri2pet.evaluation.voxelwise import METHODS as VOXELWISE

FLOW_MODELS = {
    system: [
        name
        for name in config[system]["models"]
        if ENTRIES[system][name]["generator"]["name"] == FLOW and system == "dual_glow"
    ]
    for system in PET_SYSTEMS
}

# Of these draws are made where the system says how many.
RECTIFIED_MODELS = {
    system: [
        name
        for name in config[system]["models"]
        if ENTRIES[system][name]["generator"]["name"] == RECTIFIED
        and "draws" in config[system].get("synthesis", {})
    ]
    for system in PET_SYSTEMS
}
DRAWING = {system: FLOW_MODELS[system] + RECTIFIED_MODELS[system] for system in PET_SYSTEMS}


def repeated_models(system):
    """Return the models of a system that are trained more than once and give one PET of an MRI."""
    names = {first_and_number(name)[0] for name in TRAINED[system] if name not in ENTRIES[system]}
    return [name for name in config[system]["models"] if name in names - {*DRAWING[system]}]


def trainings(system, model):
    """Return the names of all trainings of a model."""
    return [name for name in TRAINED[system] if first_and_number(name)[0] == model]


INTERVALS = {system: DRAWING[system] + repeated_models(system) for system in PET_SYSTEMS}
INTERVAL_SYSTEMS = [system for system, models in INTERVALS.items() if models]


def of_trainings(pattern):
    """Return an input function: a file of each training of a job's model."""
    return lambda wildcards: [
        f"results/{wildcards.system}/{pattern}".format(model=name, fold=wildcards.fold)
        for name in trainings(wildcards.system, wildcards.model)
    ]


for system in INTERVAL_SYSTEMS:

    rule:
        name:
            f"{system}_voxelwise_intervals"
        input:
            visits=f"results/datasets/{SPACE[system]}/visits.tsv",
            folds=f"results/datasets/{folds_space(system)}/folds.tsv",
            pet=f"results/datasets/{SPACE[system]}/pet.npy",
            seen=f"results/datasets/{SPACE[system]}/seen.npy",
            mask=f"results/datasets/{SPACE[system]}/mask.npy",
        output:
            coverage=of_folds(system, "uncertainty/{method}/fold-{fold}/coverage.tsv"),
            scores=of_folds(system, "uncertainty/{method}/fold-{fold}/scores.tsv"),
        log:
            f"logs/voxelwise_intervals/{system}/{{method}}.log",
        wildcard_constraints:
            method="|".join(VOXELWISE),
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(3000),
            runtime=more(60),
        params:
            code=code("voxelwise_intervals.py"),
            groups=config[system].get("training_groups", []),
            seed=config["seed"],
        script:
            "../../scripts/voxelwise_intervals.py"

    rule:
        name:
            f"{system}_coverage_table"
        input:
            coverage=of_folds(
                system,
                "uncertainty/{method}/fold-{fold}/coverage.tsv",
                method=[*INTERVALS[system], *VOXELWISE],
            ),
            scores=of_folds(
                system,
                "uncertainty/{method}/fold-{fold}/scores.tsv",
                method=[*INTERVALS[system], *VOXELWISE],
            ),
        output:
            report(
                f"results/{system}/tables/coverage.tsv",
                caption="../../report/coverage.rst",
                category="Intervals",
                labels={"system": system, "content": "coverage, width and scores"},
            ),
        log:
            f"logs/coverage_table/{system}.log",
        localrule: True
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(1000),
            runtime=more(10),
        params:
            code=code("coverage_table.py"),
            models=INTERVALS[system],
            groups=config[system].get("training_groups", []),
        script:
            "../../scripts/coverage_table.py"


rule repeat_intervals:
    input:
        visits=dataset_file("visits.tsv"),
        folds=folds_file,
        source=model_array("source"),
        further=further_arrays,
        pet=dataset_file("pet.npy"),
        seen=dataset_file("seen.npy"),
        mask=dataset_file("mask.npy"),
        description=dataset_file("dataset.json"),
        weights=of_trainings("models/{model}/fold-{fold}/generator.pt"),
        chosen=of_trainings("models/{model}/fold-{fold}/chosen.json"),
        synthetic=of_trainings("synthesis/{model}/fold-{fold}/pet.npy"),
    output:
        coverage="results/{system}/uncertainty/{model}/fold-{fold}/coverage.tsv",
        scores="results/{system}/uncertainty/{model}/fold-{fold}/scores.tsv",
        calibration="results/{system}/uncertainty/{model}/fold-{fold}/calibration.json",
    log:
        "logs/repeat_intervals/{system}/{model}_fold-{fold}.log",
    wildcard_constraints:
        model="|".join(sorted({m for s in INTERVAL_SYSTEMS for m in repeated_models(s)})) or "-",
    conda:
        "../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=synthesis_memory("repeat_intervals", 4000, "source"),
        runtime=more(240),
        gpu=1,
    params:
        model=lambda wildcards: {
            key: value
            for key, value in model_entry(wildcards.system, wildcards.model).items()
            if key in ("generator", "parts")
        },
        crop=lambda wildcards: config[wildcards.system].get("crop", 0),
        code=lambda wildcards: code(
            "repeat_intervals.py", *model_code(wildcards.system, wildcards.model)
        ),
    script:
        "../../scripts/repeat_intervals.py"


rule rectified_draws:
    input:
        visits=dataset_file("visits.tsv"),
        folds=folds_file,
        source=model_array("source"),
        pet=dataset_file("pet.npy"),
        seen=dataset_file("seen.npy"),
        mask=dataset_file("mask.npy"),
        weights="results/{system}/models/{model}/fold-{fold}/generator.pt",
        chosen="results/{system}/models/{model}/fold-{fold}/chosen.json",
    output:
        coverage="results/{system}/uncertainty/{model}/fold-{fold}/coverage.tsv",
        scores="results/{system}/uncertainty/{model}/fold-{fold}/scores.tsv",
        calibration="results/{system}/uncertainty/{model}/fold-{fold}/calibration.json",
    log:
        "logs/rectified_draws/{system}/{model}_fold-{fold}.log",
    wildcard_constraints:
        model="|".join(sorted({m for models in RECTIFIED_MODELS.values() for m in models})) or "-",
    conda:
        "../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=drawing_memory("rectified_draws", 4000),
        runtime=more(240),
        gpu=1,
    params:
        generator=lambda wildcards: model_entry(wildcards.system, wildcards.model)["generator"],
        crop=lambda wildcards: config[wildcards.system].get("crop", 0),
        settings=lambda wildcards: {
            key: config[wildcards.system]["synthesis"][key] for key in ("draws", "temperature")
        },
        seed=config["seed"],
        code=lambda wildcards: code(
            "rectified_draws.py", *model_code(wildcards.system, wildcards.model)
        ),
    script:
        "../../scripts/rectified_draws.py"
