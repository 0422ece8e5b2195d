checkpoint cohort:
    input:
        tables=RAW_TABLES,
    output:
        table="results/cohort/cohort.tsv",
        exclusions="results/cohort/exclusions.tsv",
    log:
        "logs/cohort/cohort.log",
    localrule: True
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        raw=None if SIMULATED else RAW,
        groups=sorted(config["cohort"]["groups"]),
        max_days_apart=config["cohort"]["max_days_apart"],
        exclude=sorted(config["cohort"]["exclude"]),
        code=code("cohort.py"),
    script:
        "../../scripts/cohort.py"
