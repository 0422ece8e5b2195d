ruleorder: mean_pet > synthesise


def made_file(system):
    """Return the name of the array of a system's synthetic volumes."""
    return "pet.npy" if system in PET_SYSTEMS else "volumes.npy"


def trained_file(name):
    """Return an input function: what the training left that held out the same folds as a job."""
    return lambda wildcards: (
        f"results/{wildcards.system}/models/{wildcards.model}/{folder_of(wildcards.fold)}/{name}"
    )


rule synthesise:
    input:
        visits=dataset_file("visits.tsv"),
        folds=folds_file,
        source=model_array("source"),
        further=further_arrays,
        mask=dataset_file("mask.npy"),
        description=dataset_file("dataset.json"),
        weights=trained_file("generator.pt"),
        chosen=trained_file("chosen.json"),
    output:
        made="results/{system}/synthesis/{model}/fold-{fold}/pet.npy",
        visits="results/{system}/synthesis/{model}/fold-{fold}/visits.tsv",
        nifti=directory("results/{system}/synthesis/{model}/fold-{fold}/nifti"),
    log:
        "logs/synthesise/{system}/{model}_fold-{fold}.log",
    wildcard_constraints:
        model="(?!oracle/)[a-z0-9_]+",
    conda:
        "../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=synthesis_memory("synthesise", 4000, "source"),
        runtime=more(240),
        gpu=1,
    params:
        model=lambda wildcards: {
            key: value
            for key, value in model_entry(wildcards.system, wildcards.model).items()
            if key in ("generator", "parts")
        },
        crop=lambda wildcards: config[wildcards.system].get("crop", 0),
        space=space_entities,
        tracer=tracer_of,
        target=lambda wildcards: array_name(wildcards.system, wildcards.model, "target"),
        code=lambda wildcards: code("synthesise.py", *model_code(wildcards.system, wildcards.model)),
    script:
        "../../scripts/synthesise.py"


# What is no PET is not called so.
NO_PET = [system for system in SYSTEMS if system not in PET_SYSTEMS]

if NO_PET:

    ruleorder: synthesise_volumes > synthesise

    use rule synthesise as synthesise_volumes with:
        output:
            made="results/{system}/synthesis/{model}/fold-{fold}/volumes.npy",
            visits="results/{system}/synthesis/{model}/fold-{fold}/visits.tsv",
            nifti=directory("results/{system}/synthesis/{model}/fold-{fold}/nifti"),
        wildcard_constraints:
            system="|".join(NO_PET),


# A patient's synthetic PET, by every fold's generator: none has seen a patient.
if "gan_anomaly" in SYSTEMS:

    use rule synthesise as synthesise_patients with:
        output:
            made="results/{system}/synthesis/{model}/patients/fold-{fold}/pet.npy",
            visits="results/{system}/synthesis/{model}/patients/fold-{fold}/visits.tsv",
            nifti=directory("results/{system}/synthesis/{model}/patients/fold-{fold}/nifti"),
        log:
            "logs/synthesise_patients/{system}/{model}_fold-{fold}.log",
        wildcard_constraints:
            system="gan_anomaly",
            model="[a-z0-9_]+",
        params:
            patients=True,


rule mean_pet:
    input:
        visits=dataset_file("visits.tsv"),
        folds=folds_file,
        pet=dataset_file("pet.npy"),
        seen=dataset_file("seen.npy"),
        mask=dataset_file("mask.npy"),
        description=dataset_file("dataset.json"),
    output:
        made="results/{system}/synthesis/mean_pet/fold-{fold}/pet.npy",
        visits="results/{system}/synthesis/mean_pet/fold-{fold}/visits.tsv",
        nifti=directory("results/{system}/synthesis/mean_pet/fold-{fold}/nifti"),
    log:
        "logs/mean_pet/{system}/fold-{fold}.log",
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(60),
    params:
        groups=training_groups,
        space=space_entities,
        tracer=tracer_of,
        code=code("mean_pet.py"),
    script:
        "../../scripts/mean_pet.py"


# The best that any method could do, where the people are simulated. A rule a system, since one job
# writes all folds, and systems differ in how many they have.
for system in ORACLE_SYSTEMS:

    rule:
        name:
            f"{system}_oracle"
        input:
            visits=f"results/datasets/{SPACE[system]}/visits.tsv",
            folds=f"results/datasets/{folds_space(system)}/folds.tsv",
            pet=oracle_files(SPACE[system]),
            mask=f"results/datasets/{SPACE[system]}/mask.npy",
            description=f"results/datasets/{SPACE[system]}/dataset.json",
            described=rules.describe_oracle.output.description,
        output:
            made=of_folds(system, "synthesis/oracle/fold-{fold}/pet.npy"),
            visits=of_folds(system, "synthesis/oracle/fold-{fold}/visits.tsv"),
            nifti=directory(of_folds(system, "synthesis/oracle/fold-{fold}/nifti")),
        log:
            f"logs/oracle/{system}.log",
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(2000),
            runtime=more(60),
        params:
            space=SPACES[SPACE[system]].entities,
            tracer=TRACERS[STUDY[system]],
            code=code("oracle.py"),
        script:
            "../../scripts/oracle.py"
