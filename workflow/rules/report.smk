rule report_page:
    input:
        cohort="results/cohort/cohort.tsv",
        excluded="results/cohort/excluded_scans.tsv",
        folds="results/datasets/linear/folds.tsv",
        tables=expand("results/gla_gan/tables/table{number}.tsv", number=[1, 2, 3]),
        figures=expand("results/gla_gan/figures/synthesis_{group}.png", group=DIAGNOSED),
        curves=expand("results/gla_gan/figures/curves_{model}.png", model=MODELS),
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
        groups=DIAGNOSED,
        labels=LABELS,
        models=[LABELS[model] for model in MODELS],
        simulated=SIMULATED,
    script:
        "../scripts/report.py"
