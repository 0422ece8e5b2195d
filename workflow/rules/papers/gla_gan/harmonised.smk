"""Diagnosis by features from which ComBat has taken the scanners' shift and spread."""

HARMONISE = dict(config["gla_gan"]["diagnosis"]["harmonise"])


def harmonised_predictions(dataset):
    """Return the predictions of all methods on a dataset, by harmonised features."""
    return [
        path.replace("results/gla_gan/diagnosis/", "results/gla_gan/harmonised/")
        for path in predictions_of("diagnosis", dataset)
    ]


rule diagnose_harmonised:
    input:
        visits="results/datasets/linear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        scanners="results/datasets/linear/scanners.tsv",
        real="results/gla_gan/features/real.tsv",
        synthetic=synthetic_features_of,
    output:
        expand("results/gla_gan/harmonised/{{dataset}}/{{method}}/fold-{fold}.tsv", fold=FOLDS),
    log:
        "logs/diagnose/{dataset}_harmonised/{method}.log",
    wildcard_constraints:
        dataset="paired|complete",
        method="[a-z0-9_]+",
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(60),
    params:
        code=code("diagnose_harmonised.py"),
        settings=TUNING | dict(zip(("positive", "negative"), DIAGNOSED)),
        harmonise=HARMONISE,
        seed=config["seed"],
    script:
        "../../../scripts/diagnose_harmonised.py"


rule harmonised_table:
    input:
        paired=harmonised_predictions("paired"),
        complete=harmonised_predictions("complete"),
    output:
        report(
            "results/gla_gan/tables/harmonised.tsv",
            caption="../../../report/harmonised.rst",
            category="Tables",
            labels={"table": "harmonised", "content": "diagnosis by harmonised features"},
        ),
    log:
        "logs/tables/harmonised.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("cross_fitted_table.py"),
        positive=config["gla_gan"]["diagnosis"]["positive"],
        models=MODELS,
        words="harmonised",
    script:
        "../../../scripts/cross_fitted_table.py"
