rule train:
    input:
        visits=dataset_file("visits.tsv"),
        folds=folds_file,
        mri=dataset_file("mri.npy"),
        pet=dataset_file("pet.npy"),
        mask=dataset_file("mask.npy"),
        atlas=dataset_file("atlas.npy"),
        description=dataset_file("dataset.json"),
    output:
        weights="results/{system}/models/{model}/fold-{fold}/generator.pt",
        history="results/{system}/models/{model}/fold-{fold}/history.tsv",
        curve="results/{system}/models/{model}/fold-{fold}/curve.png",
        chosen="results/{system}/models/{model}/fold-{fold}/chosen.json",
    log:
        "logs/train/{system}/{model}_fold-{fold}.log",
    conda:
        "../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(6000),
        runtime=more(2880),
        gpu=1,
    params:
        model=lambda wildcards: model_entry(wildcards.system, wildcards.model),
        groups=training_groups,
        crop=lambda wildcards: config[wildcards.system]["crop"],
        validation=validation,
        seed=config["seed"],
        code=lambda wildcards: code("train.py", *training_code(wildcards.system, wildcards.model)),
    script:
        "../../scripts/train.py"
