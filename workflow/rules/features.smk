rule real_features:
    input:
        visits=dataset_file("visits.tsv"),
        mri=dataset_file("mri.npy"),
        pet=dataset_file("pet.npy"),
        gm=tissue_file("gm.npy"),
        wm=tissue_file("wm.npy"),
        atlas=dataset_file("atlas.npy"),
        mask=dataset_file("mask.npy"),
        names="resources/atlases/aal.tsv",
    output:
        "results/{system}/features/real.tsv",
    log:
        "logs/real_features/{system}.log",
    conda:
        "../../envs/stats.yaml"
    resources:
        mem_mb=more(4000),
        runtime=more(30),
    params:
        code=code("real_features.py"),
    script:
        "../scripts/real_features.py"


rule synthetic_features:
    input:
        visits=expand("results/{{system}}/synthesis/{{model}}/fold-{fold}/visits.tsv", fold=FOLDS),
        pet=expand("results/{{system}}/synthesis/{{model}}/fold-{fold}/pet.npy", fold=FOLDS),
        gm=tissue_file("gm.npy"),
        wm=tissue_file("wm.npy"),
        atlas=dataset_file("atlas.npy"),
        mask=dataset_file("mask.npy"),
        names="resources/atlases/aal.tsv",
    output:
        expand("results/{{system}}/features/{{model}}/fold-{fold}.tsv", fold=FOLDS),
    log:
        "logs/synthetic_features/{system}/{model}.log",
    conda:
        "../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(30),
    params:
        code=code("synthetic_features.py"),
    script:
        "../scripts/synthetic_features.py"
