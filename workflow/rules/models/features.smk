rule real_features:
    input:
        visits=dataset_file("visits.tsv"),
        mri=dataset_file("mri.npy"),
        pet=dataset_file("pet.npy"),
        seen=dataset_file("seen.npy"),
        gm=lambda wildcards: tissue_files(wildcards.system, "gm.npy"),
        wm=lambda wildcards: tissue_files(wildcards.system, "wm.npy"),
        atlas=dataset_file("atlas.npy"),
        mask=dataset_file("mask.npy"),
        names="resources/atlases/aal.tsv",
    output:
        "results/{system}/features/real.tsv",
    log:
        "logs/real_features/{system}.log",
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(4000),
        runtime=more(30),
    params:
        code=code("real_features.py"),
    script:
        "../../scripts/real_features.py"


# A rule a system, since one job writes all folds, and systems differ in how many they have.
for system in PET_SYSTEMS:

    rule:
        name:
            f"{system}_synthetic_features"
        input:
            visits=of_folds(system, "synthesis/{model}/fold-{fold}/visits.tsv"),
            pet=of_folds(system, "synthesis/{model}/fold-{fold}/pet.npy"),
            gm=tissue_files(system, "gm.npy"),
            wm=tissue_files(system, "wm.npy"),
            atlas=f"results/datasets/{SPACE[system]}/atlas.npy",
            mask=f"results/datasets/{SPACE[system]}/mask.npy",
            names="resources/atlases/aal.tsv",
        output:
            of_folds(system, "features/{model}/fold-{fold}.tsv"),
        log:
            f"logs/synthetic_features/{system}/{{model}}.log",
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(2000),
            runtime=more(30),
        params:
            code=code("synthetic_features.py"),
        script:
            "../../scripts/synthetic_features.py"
