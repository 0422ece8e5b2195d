rule report_page:
    input:
        cohort="results/cohort/cohort.tsv",
        excluded="results/cohort/excluded_scans.tsv",
        folds="results/datasets/linear/folds.tsv",
        tables=expand("results/gla_gan/tables/table{number}.tsv", number=[1, 2, 3]),
        ablations=expand("results/gla_gan/tables/ablation_{figure}.tsv", figure=ABLATIONS),
        ablation_figures=expand("results/gla_gan/figures/ablation_{figure}.png", figure=ABLATIONS),
        three_way="results/gla_gan/tables/three_way.tsv" if THREE_WAY else [],
        three_way_figure="results/gla_gan/figures/three_way.png" if THREE_WAY else [],
        dissection=(
            ["results/gla_gan/tables/dissection.tsv", "results/gla_gan/figures/dissection.png"]
            if DISSECTION
            else []
        ),
        interpolation=(
            [
                "results/gla_gan/tables/interpolation.tsv",
                "results/gla_gan/figures/interpolation.png",
            ]
            if INTERPOLATION
            else []
        ),
        figures=expand("results/gla_gan/figures/synthesis_{group}.png", group=DIAGNOSED),
        curves=expand("results/gla_gan/figures/curves_{model}.png", model=ENTRIES["gla_gan"]),
        dual_glow=DUAL_GLOW_SHOWN if "dual_glow" in SYSTEMS else [],
        qc=qc_pictures,
        lock=source_file("requirements.lock"),
        template=source_file("src/mri2pet/reporting/templates/report.html.j2"),
    output:
        report(
            "results/report/report.html",
            caption="../report/report.rst",
            category="Report",
            labels={"content": "everything on one page"},
        ),
    log:
        "logs/report/report.log",
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=code("report.py"),
        config=config,
        ablations={figure: COMPARED[figure] for figure in ABLATIONS},
        groups=DIAGNOSED,
        labels=LABELS,
        models=[entry["label"] for entry in ENTRIES["gla_gan"].values()],
        flows=FLOW_LABELS if "dual_glow" in SYSTEMS else {},
        simulated=SIMULATED,
    script:
        "../scripts/report.py"
