rule image_metrics:
    input:
        visits=expand("results/{{system}}/synthesis/{{model}}/fold-{fold}/visits.tsv", fold=FOLDS),
        synthetic=expand("results/{{system}}/synthesis/{{model}}/fold-{fold}/pet.npy", fold=FOLDS),
        real=dataset_file("pet.npy"),
        mask=dataset_file("mask.npy"),
    output:
        expand("results/{{system}}/metrics/{{model}}/fold-{fold}.tsv", fold=FOLDS),
    log:
        "logs/image_metrics/{system}/{model}.log",
    wildcard_constraints:
        system="|".join(system for system in SYSTEMS if folds_of(system) is FOLDS) or "none",
    conda:
        "../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(30),
    params:
        code=code("image_metrics.py"),
    script:
        "../scripts/image_metrics.py"
