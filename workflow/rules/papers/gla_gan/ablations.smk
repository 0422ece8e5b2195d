def ablation_files(pattern):
    """Return an input function: `pattern` for every model and fold of an ablation."""
    return lambda wildcards: expand(pattern, model=COMPARED[wildcards.figure], fold=FOLDS)


rule ablation_table:
    input:
        metrics=ablation_files("results/gla_gan/metrics/{model}/fold-{fold}.tsv"),
        references=of_folds(
            "gla_gan", "metrics/{model}/fold-{fold}.tsv", model=untrained("gla_gan")
        ),
        paired=ablation_files("results/gla_gan/diagnosis/paired/{model}/fold-{fold}.tsv"),
        complete=ablation_files("results/gla_gan/diagnosis/complete/{model}/fold-{fold}.tsv"),
        repeated=lambda wildcards: repeated_metrics("gla_gan", COMPARED[wildcards.figure]),
        histories=lambda wildcards: histories("gla_gan", COMPARED[wildcards.figure]),
        published=source_file("resources/published/gla_gan.tsv"),
    output:
        report(
            "results/gla_gan/tables/ablation_{figure}.tsv",
            caption="../../../report/ablation_table.rst",
            category="Tables",
            labels={"table": "ablation", "content": "{figure}"},
        ),
    log:
        "logs/ablation_table/{figure}.log",
    wildcard_constraints:
        figure="losses|patches",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("ablation_table.py"),
        groups=TRAINING_GROUPS,
        models=lambda wildcards: list(COMPARED[wildcards.figure]),
        starts=starts("gla_gan"),
        positive=config["gla_gan"]["diagnosis"]["positive"],
    script:
        "../../../scripts/ablation_table.py"


rule ablation_figure:
    input:
        "results/gla_gan/tables/ablation_{figure}.tsv",
    output:
        report(
            "results/gla_gan/figures/ablation_{figure}.png",
            caption="../../../report/figure_ablation.rst",
            category="Figures",
            labels={"figure": "8 and 9", "content": "ablation of {figure}"},
        ),
    log:
        "logs/ablation_figure/{figure}.log",
    wildcard_constraints:
        figure="losses|patches",
    localrule: True
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("ablation_figure.py"),
        labels=lambda wildcards: COMPARED[wildcards.figure],
        note=simulated_note("gla_gan"),
    script:
        "../../../scripts/ablation_figure.py"
