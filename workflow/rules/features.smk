rule real_features:
    input:
        visits="results/datasets/linear/visits.tsv",
        mri="results/datasets/linear/mri.npy",
        pet="results/datasets/linear/pet.npy",
        gm="results/datasets/linear/gm.npy",
        wm="results/datasets/linear/wm.npy",
        atlas="results/datasets/linear/atlas.npy",
        mask="results/datasets/linear/mask.npy",
        names="resources/atlases/aal.tsv",
    output:
        "results/gla_gan/features/real.tsv",
    log:
        "logs/real_features/features.log",
    conda:
        "../../envs/stats.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code("real_features.py"),
    script:
        "../scripts/real_features.py"


rule synthetic_features:
    input:
        visits=expand("results/gla_gan/synthesis/{{model}}/fold-{fold}/visits.tsv", fold=FOLDS),
        pet=expand("results/gla_gan/synthesis/{{model}}/fold-{fold}/pet.npy", fold=FOLDS),
        gm="results/datasets/linear/gm.npy",
        wm="results/datasets/linear/wm.npy",
        atlas="results/datasets/linear/atlas.npy",
        mask="results/datasets/linear/mask.npy",
        names="resources/atlases/aal.tsv",
    output:
        expand("results/gla_gan/features/{{model}}/fold-{fold}.tsv", fold=FOLDS),
    log:
        "logs/synthetic_features/{model}.log",
    conda:
        "../../envs/stats.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("synthetic_features.py"),
    script:
        "../scripts/synthetic_features.py"
