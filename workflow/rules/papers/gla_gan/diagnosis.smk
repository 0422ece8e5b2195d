def synthetic_features_of(wildcards):
    """Return the features of a method's PET, fold by fold; none if it synthesises nothing."""
    if wildcards.method in NOTHING_MADE:
        return []
    pattern = "results/gla_gan/features/{method}/fold-{fold}.tsv"
    return expand(pattern, method=wildcards.method, fold=FOLDS)


rule diagnose:
    input:
        visits="results/datasets/linear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        real="results/gla_gan/features/real.tsv",
        synthetic=synthetic_features_of,
    output:
        expand("results/gla_gan/diagnosis/{{dataset}}/{{method}}/fold-{fold}.tsv", fold=FOLDS),
    log:
        "logs/diagnose/{dataset}/{method}.log",
    wildcard_constraints:
        dataset="paired|complete",
        method="[a-z0-9_]+",
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(60),
    params:
        code=code("diagnose.py"),
        settings=TUNING | dict(zip(("positive", "negative"), DIAGNOSED)),
        seed=config["seed"],
    script:
        "../../../scripts/diagnose.py"
