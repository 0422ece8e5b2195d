"""Whether the flows' codes of the MRI still hold age, sex and diagnosis (part D6)."""


rule probe_codes:
    input:
        visits="results/datasets/nonlinear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        mri="results/datasets/nonlinear/mri.npy",
        mask="results/datasets/nonlinear/mask.npy",
        weights=expand(
            "results/dual_glow/models/{{model}}/fold-{fold}/generator.pt", fold=FLOW_FOLDS
        ),
        chosen=expand("results/dual_glow/models/{{model}}/fold-{fold}/chosen.json", fold=FLOW_FOLDS),
    output:
        "results/dual_glow/probes/{model}.tsv",
    log:
        "logs/probe_codes/{model}.log",
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(4000),
        runtime=more(120),
        gpu=1,
    params:
        generator=lambda wildcards: model_entry("dual_glow", wildcards.model)["generator"],
        crop=SETTINGS["crop"],
        code=lambda wildcards: code("probe_codes.py", *model_code("dual_glow", wildcards.model)),
    script:
        "../../../scripts/probe_codes.py"


rule probes_table:
    input:
        expand("results/dual_glow/probes/{model}.tsv", model=DRAWN),
    output:
        report(
            "results/dual_glow/tables/probes.tsv",
            caption="../../../report/dual_glow_probes.rst",
            category="DUAL-GLOW",
            labels={"table": "probes", "content": "what codes still hold"},
        ),
    log:
        "logs/probes_table/probes_table.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("probes_table.py"),
    script:
        "../../../scripts/probes_table.py"
