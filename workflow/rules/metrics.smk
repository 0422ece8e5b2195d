rule image_metrics:
    input:
        visits=expand("results/gla_gan/synthesis/{{model}}/fold-{fold}/visits.tsv", fold=FOLDS),
        synthetic=expand("results/gla_gan/synthesis/{{model}}/fold-{fold}/pet.npy", fold=FOLDS),
        real="results/datasets/linear/pet.npy",
        mask="results/datasets/linear/mask.npy",
    output:
        expand("results/gla_gan/metrics/{{model}}/fold-{fold}.tsv", fold=FOLDS),
    log:
        "logs/image_metrics/{model}.log",
    conda:
        "../../envs/stats.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("image_metrics.py"),
    script:
        "../scripts/image_metrics.py"
