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


rule ixi_metrics:
    input:
        dataset="results/datasets/ixi/visits.tsv",
        t2="results/datasets/ixi/t2.npy",
        pd="results/datasets/ixi/pd.npy",
        made=expand("results/ixi/synthesis/{model}/volumes.npy", model=IXI_MODELS),
    output:
        "results/ixi/metrics/people.tsv",
    log:
        "logs/ixi_metrics/ixi_metrics.log",
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(60),
    params:
        directions={
            model: [entry["source"], entry["target"]] for model, entry in IXI_MODELS.items()
        },
        code=code("ixi_metrics.py"),
    script:
        "../../../scripts/ixi_metrics.py"


rule ixi_tissue:
    input:
        dataset="results/datasets/ixi/visits.tsv",
        description="results/datasets/ixi/dataset.json",
        t2="results/datasets/ixi/t2.npy",
        pd="results/datasets/ixi/pd.npy",
        template="resources/atlases/anatomy_t2.nii.gz",
        mask="resources/atlases/anatomy_brain_mask.nii.gz",
        visits=expand("results/ixi/synthesis/{model}/visits.tsv", model=IXI_MODELS),
        made=expand("results/ixi/synthesis/{model}/volumes.npy", model=IXI_MODELS),
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
        directions={
            model: [entry["source"], entry["target"]] for model, entry in IXI_MODELS.items()
        },
        code=code("ixi_tissue.py"),
    script:
        "../../../scripts/ixi_tissue.py"


rule ixi_table:
    input:
        metrics="results/ixi/metrics/people.tsv",
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
        models=list(IXI_MODELS),
        code=code("ixi_table.py"),
    script:
        "../../../scripts/ixi_table.py"


use rule ixi_table as ixi_tissue_table with:
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


rule figure_ixi_curves:
    input:
        metrics="results/ixi/metrics/people.tsv",
        histories=lambda wildcards: expand(
            "results/ixi/models/{model}/history.tsv", model=of_direction(wildcards.direction)
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
        note=IXI_NOTE,
        code=code("figure_ixi_curves.py"),
    script:
        "../../../scripts/figure_ixi_curves.py"


rule figure_ixi:
    input:
        metrics="results/ixi/metrics/people.tsv",
        dataset="results/datasets/ixi/visits.tsv",
        description="results/datasets/ixi/dataset.json",
        t2="results/datasets/ixi/t2.npy",
        pd="results/datasets/ixi/pd.npy",
        visits=lambda wildcards: expand(
            "results/ixi/synthesis/{model}/visits.tsv", model=of_direction(wildcards.direction)
        ),
        made=lambda wildcards: expand(
            "results/ixi/synthesis/{model}/volumes.npy", model=of_direction(wildcards.direction)
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
        note=IXI_NOTE,
        code=code("figure_ixi.py"),
    script:
        "../../../scripts/figure_ixi.py"


SHOWN["ixi"] = [
    "results/ixi/tables/synthesis.tsv",
    "results/ixi/tables/tissue.tsv",
    *expand("results/ixi/figures/validation_{direction}.png", direction=IXI_DIRECTIONS),
    *expand("results/ixi/figures/synthesis_{direction}.png", direction=IXI_DIRECTIONS),
    *expand("results/ixi/models/{model}/curve.png", model=IXI_MODELS),
]
