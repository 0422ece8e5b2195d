rule report_page:
    input:
        **SHOWN,
        cohorts=[COHORTS[study][1] for study in STUDIES],
        excluded="results/cohort/excluded_scans.tsv",
        folds=["results/datasets/linear/folds.tsv"] if "adni" in STUDIES else [],
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
        mem_mb=more(2000),
        runtime=more(20),
    params:
        code=code("report.py"),
        config=config,
        compared={figure: COMPARED[figure] for figure in ABLATIONS},
        groups=DIAGNOSED,
        labels={
            system: {model: entry["label"] for model, entry in ENTRIES[system].items()}
            for system in SYSTEMS
        },
        simulated=SIMULATED,
    script:
        "../scripts/report.py"
