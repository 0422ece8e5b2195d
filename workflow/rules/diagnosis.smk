rule diagnose:
    input:
        visits="results/datasets/linear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        real="results/gla_gan/features/real.tsv",
        synthetic=lambda wildcards: (
            []
            if wildcards.method in ("real_pet", "only_mri")
            else expand(
                "results/gla_gan/features/{method}/fold-{fold}.tsv",
                method=wildcards.method,
                fold=FOLDS,
            )
        ),
    output:
        expand("results/gla_gan/diagnosis/{{dataset}}/{{method}}/fold-{fold}.tsv", fold=FOLDS),
    log:
        "logs/diagnose/{dataset}/{method}.log",
    wildcard_constraints:
        dataset="paired|complete",
        method="[a-z0-9_]+",
    conda:
        "../../envs/stats.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code("diagnose.py"),
        settings=config["gla_gan"]["diagnosis"],
        seed=config["seed"],
    script:
        "../scripts/diagnose.py"
