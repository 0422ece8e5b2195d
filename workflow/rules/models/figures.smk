"""Pictures that every system has: real and synthetic PET of a case, and the training."""


rule figure_synthesis:
    input:
        metrics=lambda wildcards: of_folds(
            wildcards.system,
            "metrics/{model}/fold-{fold}.tsv",
            model=drawn_models(wildcards.system),
        ),
        synthetic=lambda wildcards: of_folds(
            wildcards.system,
            "synthesis/{model}/fold-{fold}/pet.npy",
            model=[*drawn_models(wildcards.system), *untrained(wildcards.system)],
        ),
        visits=lambda wildcards: of_folds(
            wildcards.system,
            "synthesis/{model}/fold-{fold}/visits.tsv",
            model=[*drawn_models(wildcards.system), *untrained(wildcards.system)],
        ),
        dataset=dataset_file("visits.tsv"),
        description=dataset_file("dataset.json"),
        real=dataset_file("pet.npy"),
        seen=dataset_file("seen.npy"),
        mask=dataset_file("mask.npy"),
        template="resources/atlases/mni152_t1.nii.gz",
        brain="resources/atlases/mni152_brain_mask.nii.gz",
    output:
        report(
            "results/{system}/figures/synthesis_{group}.png",
            caption="../../report/figure_synthesis.rst",
            category="Figures",
            labels={"system": "{system}", "figure": "synthesis", "content": "{group} case"},
        ),
    log:
        "logs/figure_synthesis/{system}/{group}.log",
    wildcard_constraints:
        system="|".join(PET_SYSTEMS) or "-",
    conda:
        "../../../envs/report.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        code=code("figure_synthesis.py"),
        models=lambda wildcards: drawn_models(wildcards.system),
        untrained=lambda wildcards: untrained(wildcards.system),
        labels=lambda wildcards: {
            model: labels_of(wildcards.system)[model] for model in drawn_models(wildcards.system)
        },
        note=lambda wildcards: simulated_note(wildcards.system),
    script:
        "../../scripts/figure_synthesis.py"


rule figure_curves:
    input:
        each_fold("results/{system}/models/{model}/fold-{fold}/history.tsv"),
    output:
        report(
            "results/{system}/figures/curves_{model}.png",
            caption="../../report/figure_curves.rst",
            category="Figures",
            labels={"figure": "training", "content": "{model}"},
        ),
    log:
        "logs/figure_curves/{system}/{model}.log",
    localrule: True
    conda:
        "../../../envs/report.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("figure_curves.py"),
        folds=lambda wildcards: folds_of(wildcards.system),
        label=lambda wildcards: ENTRIES[wildcards.system][wildcards.model]["label"],
        note=lambda wildcards: simulated_note(wildcards.system),
    script:
        "../../scripts/figure_curves.py"
