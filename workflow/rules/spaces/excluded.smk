# The one table of all that was left out waits for every space; nothing but the report waits for it.
rule excluded_scans:
    input:
        [EXCLUSIONS.format(study=study) for study in STUDIES],
        expand("results/datasets/{space}/excluded_scans.tsv", space=USED_SPACES),
    output:
        table="results/cohort/excluded_scans.tsv",
        ignored="results/bids/.bidsignore",
    log:
        "logs/excluded_scans/excluded_scans.log",
    localrule: True
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("excluded_scans.py"),
    script:
        "../../scripts/excluded_scans.py"
