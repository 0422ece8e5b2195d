rule train_ixi:
    input:
        visits="results/datasets/ixi/visits.tsv",
        t2="results/datasets/ixi/t2.npy",
        pd="results/datasets/ixi/pd.npy",
        start=lambda wildcards: (
            f"results/ixi/models/{IXI_MODELS[wildcards.model]['start']}/networks.pt"
            if "start" in IXI_MODELS[wildcards.model]
            else []
        ),
    output:
        weights="results/ixi/models/{model}/generator.pt",
        networks="results/ixi/models/{model}/networks.pt",
        history="results/ixi/models/{model}/history.tsv",
        curve="results/ixi/models/{model}/curve.png",
    log:
        "logs/train_ixi/{model}.log",
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(2880),
        gpu=1,
    params:
        model=lambda wildcards: ixi_entry(wildcards.model),
        patches=IXI_PATCHES,
        validation=IXI["validation"],
        seed=config["seed"],
        code=lambda wildcards: code("train_ixi.py", *training_code("ixi", wildcards.model)),
    script:
        "../../../scripts/train_ixi.py"


rule synthesise_ixi:
    input:
        visits="results/datasets/ixi/visits.tsv",
        source=lambda wildcards: (
            f"results/datasets/ixi/{IXI_MODELS[wildcards.model]['source']}.npy"
        ),
        description="results/datasets/ixi/dataset.json",
        weights="results/ixi/models/{model}/generator.pt",
    output:
        made="results/ixi/synthesis/{model}/volumes.npy",
        visits="results/ixi/synthesis/{model}/visits.tsv",
        nifti=directory("results/ixi/synthesis/{model}/nifti"),
    log:
        "logs/synthesise_ixi/{model}.log",
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(4000),
        runtime=more(240),
        gpu=1,
    params:
        generator=lambda wildcards: IXI_MODELS[wildcards.model]["generator"],
        target=lambda wildcards: IXI_MODELS[wildcards.model]["target"],
        patches=IXI_PATCHES,
        code=lambda wildcards: code("synthesise_ixi.py", *model_code("ixi", wildcards.model)),
    script:
        "../../../scripts/synthesise_ixi.py"
