"""What a paper needs of a run: a methods paragraph, and checklists filled where the run knows."""


rule methods:
    input:
        cohorts=[COHORT.format(study=study) for study in STUDIES],
        readers=[f"results/cohort/{study}_exclusions.tsv" for study in STUDIES],
        excluded="results/cohort/excluded_scans.tsv",
        lock=[source_file("requirements.lock"), source_file("requirements.in")],
    output:
        methods=report(
            "results/report/methods.md",
            caption="../report/methods.rst",
            category="Report",
            labels={"content": "methods paragraph"},
        ),
        checklist=report(
            "results/report/checklist.tsv",
            caption="../report/checklist.rst",
            category="Report",
            labels={"content": "CLAIM and TRIPOD+AI"},
        ),
    log:
        "logs/methods/methods.log",
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("methods.py"),
        config=CONCERNED,
        root=source_file("."),
        simulated={name: study.simulated for name, study in STUDIES.items()},
        systems=SYSTEMS,
    script:
        "../scripts/methods.py"
