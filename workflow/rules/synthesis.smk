ruleorder: mean_pet > synthesise


rule synthesise:
    input:
        visits="results/datasets/linear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        mri="results/datasets/linear/mri.npy",
        mask="results/datasets/linear/mask.npy",
        description="results/datasets/linear/dataset.json",
        weights="results/gla_gan/models/{model}/fold-{fold}/generator.pt",
    output:
        pet="results/gla_gan/synthesis/{model}/fold-{fold}/pet.npy",
        visits="results/gla_gan/synthesis/{model}/fold-{fold}/visits.tsv",
        nifti=directory("results/gla_gan/synthesis/{model}/fold-{fold}/nifti"),
    log:
        "logs/synthesise/{model}_fold-{fold}.log",
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=1,
    params:
        generator=lambda wildcards: model_entry(wildcards.model)["generator"],
        crop=config["gla_gan"]["crop"],
        code=lambda wildcards: code("synthesise.py", *model_code(wildcards.model)),
    script:
        "../scripts/synthesise.py"


rule mean_pet:
    input:
        visits="results/datasets/linear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        pet="results/datasets/linear/pet.npy",
        mask="results/datasets/linear/mask.npy",
        description="results/datasets/linear/dataset.json",
    output:
        pet="results/gla_gan/synthesis/mean_pet/fold-{fold}/pet.npy",
        visits="results/gla_gan/synthesis/mean_pet/fold-{fold}/visits.tsv",
        nifti=directory("results/gla_gan/synthesis/mean_pet/fold-{fold}/nifti"),
    log:
        "logs/mean_pet/fold-{fold}.log",
    conda:
        "../../envs/stats.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        groups=TRAINING_GROUPS,
        code=code("mean_pet.py"),
    script:
        "../scripts/mean_pet.py"
