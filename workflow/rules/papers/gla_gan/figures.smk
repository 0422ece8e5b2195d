rule figure_synthesis:
    input:
        metrics=expand("results/gla_gan/metrics/{model}/fold-{fold}.tsv", model=MODELS, fold=FOLDS),
        synthetic=expand(
            "results/gla_gan/synthesis/{model}/fold-{fold}/pet.npy",
            model=[*MODELS, "mean_pet"],
            fold=FOLDS,
        ),
        visits=expand(
            "results/gla_gan/synthesis/{model}/fold-{fold}/visits.tsv",
            model=[*MODELS, "mean_pet"],
            fold=FOLDS,
        ),
        dataset="results/datasets/linear/visits.tsv",
        description="results/datasets/linear/dataset.json",
        real="results/datasets/linear/pet.npy",
        mask="results/datasets/linear/mask.npy",
    output:
        report(
            "results/gla_gan/figures/synthesis_{group}.png",
            caption="../../../report/figure_synthesis.rst",
            category="Figures",
            labels={"figure": "4 and 7", "content": "{group} case"},
        ),
    log:
        "logs/figure_synthesis/{group}.log",
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        code=code("figure_synthesis.py"),
        models=MODELS,
        labels=LABELS,
        note=SIMULATED_NOTE,
    script:
        "../../../scripts/figure_synthesis.py"


rule figure_curves:
    input:
        each_fold("results/{system}/models/{model}/fold-{fold}/history.tsv"),
    output:
        report(
            "results/{system}/figures/curves_{model}.png",
            caption="../../../report/figure_curves.rst",
            category="Figures",
            labels={"figure": "training", "content": "{model}"},
        ),
    log:
        "logs/figure_curves/{system}/{model}.log",
    localrule: True
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("figure_curves.py"),
        folds=lambda wildcards: folds_of(wildcards.system),
        label=lambda wildcards: ENTRIES[wildcards.system][wildcards.model]["label"],
        note=lambda wildcards: simulated_note(wildcards.system),
    script:
        "../../../scripts/figure_curves.py"
