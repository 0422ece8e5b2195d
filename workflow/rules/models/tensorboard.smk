"""Training curves as TensorBoard's event files, on request: `snakemake --cores 1 tensorboard`."""

CURVES = [
    f"results/{system}/models/{model}/fold-{fold}/history.tsv"
    for system, model in SIZED
    for fold in folds_of(system)
]


rule tensorboard:
    input:
        CURVES,
    output:
        directory("results/tensorboard"),
    log:
        "logs/tensorboard/tensorboard.log",
    localrule: True
    conda:
        "../../../envs/torch.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        code=code("tensorboard.py"),
    script:
        "../../scripts/tensorboard.py"
