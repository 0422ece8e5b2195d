"""Diagnosis by classifiers that have learnt from synthetic PET of people whom no generator had seen."""

LEARNT_FROM = [*untrained("gla_gan"), *CROSS_FITTED["gla_gan"]]


def features_without(wildcards):
    """Return the features of a method's PET by pairs of folds; none where it is of no training."""
    if wildcards.method in NOT_LEARNT:
        return []
    return of_pairs("gla_gan", "features/{model}/without-{pair}.tsv", model=wildcards.method)


def cross_fitted_predictions(dataset):
    """Return the predictions on a dataset: of methods without synthetic PET those of the papers' protocol."""
    same = [
        path
        for path in predictions_of("diagnosis", dataset)
        if Path(path).parent.name in NOTHING_MADE
    ]
    pattern = f"results/gla_gan/cross_fitted/{dataset}/{{method}}/fold-{{fold}}.tsv"
    return [*same, *expand(pattern, method=LEARNT_FROM, fold=FOLDS)]


use rule diagnose as diagnose_cross_fitted with:
    input:
        visits="results/datasets/linear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        real="results/gla_gan/features/real.tsv",
        synthetic=synthetic_features_of,
        without=features_without,
    output:
        expand("results/gla_gan/cross_fitted/{{dataset}}/{{method}}/fold-{fold}.tsv", fold=FOLDS),
    log:
        "logs/diagnose/{dataset}_cross_fitted/{method}.log",


rule cross_fitted_table:
    input:
        paired=cross_fitted_predictions("paired"),
        complete=cross_fitted_predictions("complete"),
    output:
        report(
            "results/gla_gan/tables/cross_fitted.tsv",
            caption="../../../report/cross_fitted.rst",
            category="Tables",
            labels={"table": "cross-fitted", "content": "diagnosis learnt from synthetic PET"},
        ),
    log:
        "logs/tables/cross_fitted.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("cross_fitted_table.py"),
        positive=config["gla_gan"]["diagnosis"]["positive"],
        models=CROSS_FITTED["gla_gan"],
    script:
        "../../../scripts/cross_fitted_table.py"
