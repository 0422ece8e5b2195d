"""One table of the sizes of all generators of a run."""

SIZED = [(system, model) for system in SYSTEMS for model in ENTRIES[system]]


rule count_parameters:
    input:
        [
            f"results/{system}/models/{model}/fold-{folds_of(system)[0]}/generator.pt"
            for system, model in SIZED
        ],
    output:
        report(
            "results/report/parameters.tsv",
            caption="../../report/parameters.rst",
            category="Tables",
            labels={"table": "parameters", "content": "sizes of all generators"},
        ),
    log:
        "logs/count_parameters/parameters.log",
    conda:
        "../../../envs/torch.yaml"
    resources:
        mem_mb=more(4000),
        runtime=more(10),
    params:
        models=[
            {"system": system, "model": model, "generator": ENTRIES[system][model]["generator"]}
            for system, model in SIZED
        ],
        code=code(
            "count_parameters.py",
            *dict.fromkeys(symbol for own in SIZED for symbol in model_code(*own)),
        ),
    script:
        "../../scripts/count_parameters.py"
