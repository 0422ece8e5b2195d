rule train:
    input:
        visits="results/datasets/linear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        mri="results/datasets/linear/mri.npy",
        pet="results/datasets/linear/pet.npy",
        mask="results/datasets/linear/mask.npy",
        atlas="results/datasets/linear/atlas.npy",
    output:
        weights="results/gla_gan/models/{model}/fold-{fold}/generator.pt",
        history="results/gla_gan/models/{model}/fold-{fold}/history.tsv",
        curve="results/gla_gan/models/{model}/fold-{fold}/curve.png",
    log:
        "logs/train/{model}_fold-{fold}.log",
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=2880,
        gpu=1,
    params:
        model=lambda wildcards: model_entry(wildcards.model),
        groups=TRAINING_GROUPS,
        crop=config["gla_gan"]["crop"],
        seed=config["seed"],
        code=lambda wildcards: code("train.py", *training_code(wildcards.model)),
    script:
        "../scripts/train.py"
