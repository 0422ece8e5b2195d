rule dual_glow_table1:
    input:
        metrics=FLOW_METRICS,
        repeated=repeated_metrics("dual_glow", FLOWS),
        histories=histories("dual_glow", FLOWS),
        published=PUBLISHED_FLOWS,
    output:
        report(
            "results/dual_glow/tables/table1.tsv",
            caption="../../../report/dual_glow_table1.rst",
            category="DUAL-GLOW",
            labels={"table": "1", "content": "image quality"},
        ),
    log:
        "logs/dual_glow_table1/table1.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("image_table.py"),
        table="1",
        system="dual_glow",
        groups=FLOW_GROUPS,
        models=list(FLOWS),
        starts=starts("dual_glow"),
    script:
        "../../../scripts/image_table.py"


rule dual_glow_mae:
    input:
        FLOW_METRICS,
    output:
        report(
            "results/dual_glow/figures/mae.png",
            caption="../../../report/dual_glow_mae.rst",
            category="DUAL-GLOW",
            labels={"figure": "4", "content": "mean absolute error"},
        ),
    log:
        "logs/dual_glow_mae/mae.log",
    localrule: True
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("figure_mae.py"),
        labels=FLOW_LABELS,
        untrained=untrained("dual_glow"),
        groups=FLOW_GROUPS,
        note=simulated_note("dual_glow"),
    script:
        "../../../scripts/figure_mae.py"


def dual_glow_features_of(wildcards):
    """Return the features of a method's PET, fold by fold; none if it synthesises nothing."""
    if wildcards.method in NOTHING_MADE:
        return []
    return expand(
        "results/dual_glow/features/{method}/fold-{fold}.tsv",
        method=wildcards.method,
        fold=FLOW_FOLDS,
    )


rule dual_glow_diagnose:
    input:
        visits="results/datasets/nonlinear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        real="results/dual_glow/features/real.tsv",
        synthetic=dual_glow_features_of,
    output:
        expand("results/dual_glow/diagnosis/{{method}}/fold-{fold}.tsv", fold=FLOW_FOLDS),
    log:
        "logs/dual_glow_diagnose/{method}.log",
    wildcard_constraints:
        method="[a-z0-9_]+",
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(60),
    params:
        code=code("diagnose_pet.py"),
        groups=[SETTINGS["diagnosis"][role] for role in ("positive", "negative")],
        tuning={
            key: value
            for key, value in SETTINGS["diagnosis"].items()
            if key in ("C", "gamma", "inner_folds")
        },
        seed=config["seed"],
    script:
        "../../../scripts/diagnose_pet.py"


rule dual_glow_table2:
    input:
        predictions=expand(
            "results/dual_glow/diagnosis/{method}/fold-{fold}.tsv",
            method=[*NOTHING_MADE, *untrained("dual_glow"), *DIAGNOSING],
            fold=FLOW_FOLDS,
        ),
        published=PUBLISHED_FLOWS,
    output:
        report(
            "results/dual_glow/tables/table2.tsv",
            caption="../../../report/dual_glow_table2.rst",
            category="DUAL-GLOW",
            labels={"table": "2", "content": "diagnosis by PET"},
        ),
    log:
        "logs/dual_glow_table2/table2.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("error_table.py"),
        dataset="Paired",
        models=DIAGNOSING,
    script:
        "../../../scripts/error_table.py"


rule figure_uncertainty:
    input:
        metrics=expand("results/dual_glow/metrics/{{model}}/fold-{fold}.tsv", fold=FLOW_FOLDS),
        mean=expand("results/dual_glow/uncertainty/{{model}}/fold-{fold}/mean.npy", fold=FLOW_FOLDS),
        sd=expand("results/dual_glow/uncertainty/{{model}}/fold-{fold}/sd.npy", fold=FLOW_FOLDS),
        coverage=expand(
            "results/dual_glow/uncertainty/{{model}}/fold-{fold}/coverage.tsv", fold=FLOW_FOLDS
        ),
        dataset="results/datasets/nonlinear/visits.tsv",
        description="results/datasets/nonlinear/dataset.json",
        real="results/datasets/nonlinear/pet.npy",
        seen="results/datasets/nonlinear/seen.npy",
        mask="results/datasets/nonlinear/mask.npy",
    output:
        report(
            "results/dual_glow/figures/uncertainty_{model}.png",
            caption="../../../report/dual_glow_uncertainty.rst",
            category="DUAL-GLOW",
            labels={"figure": "uncertainty", "content": "{model}"},
        ),
    log:
        "logs/figure_uncertainty/{model}.log",
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        code=code("figure_uncertainty.py"),
        label=lambda wildcards: FLOW_LABELS[wildcards.model],
        note=simulated_note("dual_glow"),
    script:
        "../../../scripts/figure_uncertainty.py"
