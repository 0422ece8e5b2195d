"""What comes of IXI: metrics, tissue overlap, tables, figures (parts X7 and X8)."""

IXI_LABELS = {model: entry["label"] for model, entry in IXI_MODELS.items()}
IXI_DIRECTIONS = list(
    dict.fromkeys(f"{entry['source']}_{entry['target']}" for entry in IXI_MODELS.values())
)
IXI_NOTE = "simulated IXI" if simulated_note("ixi") else ""


def of_direction(name):
    """Return the models of one direction, `t2_pd` or `pd_t2`."""
    return [
        model
        for model, entry in IXI_MODELS.items()
        if f"{entry['source']}_{entry['target']}" == name
    ]


IXI_WAYS = {model: [entry["source"], entry["target"]] for model, entry in IXI_MODELS.items()}
IXI_MADE = "results/ixi/synthesis/{model}/fold-0"
IXI_METRICS = expand(
    "results/ixi/metrics/{method}/fold-0.tsv",
    method=[*IXI_MODELS, *(f"copy_{direction}" for direction in IXI_DIRECTIONS)],
)


rule ixi_tissue:
    input:
        dataset="results/datasets/ixi/visits.tsv",
        description="results/datasets/ixi/dataset.json",
        t2="results/datasets/ixi/t2.npy",
        pd="results/datasets/ixi/pd.npy",
        template="resources/atlases/anatomy_t2.nii.gz",
        mask="resources/atlases/anatomy_brain_mask.nii.gz",
        made=expand(f"{IXI_MADE}/volumes.npy", model=IXI_MODELS),
    output:
        table=f"results/ixi/tissue/{NAME}.tsv",
        labels=f"results/ixi/tissue/{NAME}.npz",
    log:
        f"logs/ixi_tissue/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../../envs/imaging.yaml"
    resources:
        mem_mb=more(3000),
        runtime=more(60),
    params:
        directions=IXI_WAYS,
        code=code("ixi_tissue.py"),
    script:
        "../../../scripts/ixi_tissue.py"


rule ixi_table:
    input:
        metrics=IXI_METRICS,
        repeated=repeated_metrics("ixi", IXI_MODELS),
        histories=histories("ixi", IXI_MODELS),
        published=source_file("resources/published/ixi.tsv"),
    output:
        report(
            "results/ixi/tables/synthesis.tsv",
            caption="../../../report/ixi_table.rst",
            category="IXI",
            labels={"table": "synthesis", "content": "MAE and PSNR"},
        ),
    log:
        "logs/ixi_table/synthesis.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        directions=IXI_WAYS,
        starts=starts("ixi"),
        code=code("ixi_table.py"),
    script:
        "../../../scripts/ixi_table.py"


rule ixi_tissue_table:
    input:
        metrics=each_ixi(rules.ixi_tissue.output.table, "test"),
        published=source_file("resources/published/ixi.tsv"),
    output:
        report(
            "results/ixi/tables/tissue.tsv",
            caption="../../../report/ixi_tissue.rst",
            category="IXI",
            labels={"table": "tissue", "content": "overlap of tissues"},
        ),
    log:
        "logs/ixi_table/tissue.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        models=list(IXI_MODELS),
        code=code("ixi_tissue_table.py"),
    script:
        "../../../scripts/ixi_tissue_table.py"


rule figure_ixi_curves:
    input:
        metrics=IXI_METRICS,
        histories=lambda wildcards: expand(
            "results/ixi/models/{model}/fold-0/history.tsv",
            model=of_direction(wildcards.direction),
        ),
    output:
        report(
            "results/ixi/figures/validation_{direction}.png",
            caption="../../../report/ixi_curves.rst",
            category="IXI",
            labels={"figure": "validation", "content": "{direction}"},
        ),
    log:
        "logs/figure_ixi_curves/{direction}.log",
    wildcard_constraints:
        direction="t2_pd|pd_t2",
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        labels=lambda wildcards: [IXI_LABELS[m] for m in of_direction(wildcards.direction)],
        directions=IXI_WAYS,
        note=IXI_NOTE,
        code=code("figure_ixi_curves.py"),
    script:
        "../../../scripts/figure_ixi_curves.py"


rule figure_ixi:
    input:
        metrics=IXI_METRICS,
        dataset="results/datasets/ixi/visits.tsv",
        description="results/datasets/ixi/dataset.json",
        t2="results/datasets/ixi/t2.npy",
        pd="results/datasets/ixi/pd.npy",
        visits=lambda wildcards: expand(
            f"{IXI_MADE}/visits.tsv", model=of_direction(wildcards.direction)
        ),
        made=lambda wildcards: expand(
            f"{IXI_MADE}/volumes.npy", model=of_direction(wildcards.direction)
        ),
    output:
        report(
            "results/ixi/figures/synthesis_{direction}.png",
            caption="../../../report/ixi_figure.rst",
            category="IXI",
            labels={"figure": "errors", "content": "{direction}"},
        ),
    log:
        "logs/figure_ixi/{direction}.log",
    wildcard_constraints:
        direction="t2_pd|pd_t2",
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        models=lambda wildcards: {m: IXI_LABELS[m] for m in of_direction(wildcards.direction)},
        directions=IXI_WAYS,
        note=IXI_NOTE,
        code=code("figure_ixi.py"),
    script:
        "../../../scripts/figure_ixi.py"


SHOWN["ixi"] = [
    "results/ixi/tables/synthesis.tsv",
    "results/ixi/tables/tissue.tsv",
    *expand("results/ixi/figures/validation_{direction}.png", direction=IXI_DIRECTIONS),
    *expand("results/ixi/figures/synthesis_{direction}.png", direction=IXI_DIRECTIONS),
    *expand("results/ixi/models/{model}/fold-0/curve.png", model=IXI_MODELS),
]
