from importlib import metadata

from mri2pet.provenance.clock import settle_future

# What jobs recorded of themselves, shown: a page, a crate, and two questions about a finished run.

RECORDS = ["results/provenance", "resources/provenance"]

if workflow.is_main_process:
    FUTURE, OUTDATED = settle_future(RECORDS)
    if FUTURE:
        again = "; made again, since their inputs are others: " + ", ".join(OUTDATED)
        logger.warning(
            f"{len(FUTURE)} results lie in the future ({FUTURE[0]}): a clock was ahead. Snakemake "
            "would not see when they are outdated, so they are dated now"
            f"{again if OUTDATED else ''}."
        )


rule provenance:
    input:
        report="results/report/report.html",
        participants="results/bids/participants.tsv",
        excluded="results/cohort/excluded_scans.tsv",
    output:
        page=report(
            "results/report/provenance.html",
            caption="../report/provenance.rst",
            category="Report",
            labels={"content": "where the results come from"},
        ),
        crate=directory("results/crate"),
    log:
        "logs/provenance/provenance.log",
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=more(4000),
        runtime=more(60),
    params:
        code=code("provenance.py"),
        config=CONCERNED,
        records=RECORDS,
        root=source_file("."),
        snakemake=metadata.version("snakemake"),
    script:
        "../scripts/provenance.py"


# Neither of these has an output: each answers whenever it is asked.


rule audit:
    log:
        "logs/audit/audit.log",
    localrule: True
    conda:
        "../../envs/stats.yaml"
    threads: 4
    resources:
        mem_mb=more(1000),
        runtime=more(240),
    params:
        records=RECORDS,
        results="results",
        apart=[
            "results/failures.tsv",
            "results/report/partial.html",
            *map(str, Path("results/applied").glob("*/failures.tsv")),
        ],
        table="results/provenance/audit.tsv",
        root=str(ROOT),
        config={key: value for key, value in GIVEN.items() if key not in {"file", "short"}},
        snakemake=[sys.executable, "-m", "snakemake"],
    script:
        "../scripts/audit.py"


rule trace:
    log:
        "logs/trace/trace.log",
    localrule: True
    conda:
        "../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        records=RECORDS,
        file=TRACED,
        short=SHORT,
        chain="results/provenance/trace.json",
    script:
        "../scripts/trace.py"
