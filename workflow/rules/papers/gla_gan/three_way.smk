rule classify_three_way:
    input:
        visits="results/datasets/linear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        real="results/gla_gan/features/real.tsv",
        synthetic=synthetic_features_of,
    output:
        expand("results/gla_gan/three_way/{{dataset}}/{{method}}/fold-{fold}.tsv", fold=FOLDS),
    log:
        "logs/classify_three_way/{dataset}/{method}.log",
    wildcard_constraints:
        dataset="paired|complete",
        method="[a-z0-9_]+",
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(60),
    params:
        code=code("classify_three_way.py"),
        groups=THREE_WAY,
        tuning=TUNING,
        seed=config["seed"],
    script:
        "../../../scripts/classify_three_way.py"


rule three_way:
    input:
        paired=predictions_of("three_way", "paired"),
        complete=predictions_of("three_way", "complete"),
    output:
        table=report(
            "results/gla_gan/tables/three_way.tsv",
            caption="../../../report/three_way.rst",
            category="Tables",
            labels={"table": "three-way", "content": "diagnosis of three groups"},
        ),
        figure=report(
            "results/gla_gan/figures/three_way.png",
            caption="../../../report/three_way.rst",
            category="Figures",
            labels={"figure": "three-way", "content": "confusion matrices"},
        ),
    log:
        "logs/three_way/three_way.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("three_way.py"),
        groups=THREE_WAY,
        labels=LABELS,
        models=MODELS,
        note=simulated_note("gla_gan"),
    script:
        "../../../scripts/three_way.py"
