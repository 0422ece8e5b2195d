"""The report, and one of what is there when a run did not come to its end."""


def there(paths):
    """Return those of some files that exist."""
    return [path for path in paths if Path(path).is_file()]


def whole_report():
    """Return all files that the whole report shows, as far as the cohorts are known."""
    cohorts = [COHORTS[study][1] for study in STUDIES]
    visits = [visit for table in there(cohorts) for visit in read_cohort(table, 0)]
    checked = f"results/preproc/{VISIT}/anat/{NAME}_qc.json"
    return [
        *cohorts,
        *(checked.format(subject=subject, visit=visit) for subject, visit in visits),
        *(path for paths in SHOWN.values() for path in paths),
    ]


rule report_page:
    input:
        **SHOWN,
        cohorts=[COHORTS[study][1] for study in STUDIES],
        excluded=["results/cohort/excluded_scans.tsv"],
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
        config=CONCERNED,
        compared={figure: COMPARED[figure] for figure in ABLATIONS},
        groups=DIAGNOSED,
        labels={
            system: {model: entry["label"] for model, entry in ENTRIES[system].items()}
            | FURTHER_LABELS.get(system, {})
            for system in SYSTEMS
        },
        simulated={STUDY[system]: bool(simulated_note(system)) for system in SYSTEMS},
        studies=SOURCES,
        cohorts={COHORTS[study][1]: study for study in STUDIES},
    script:
        "../scripts/report.py"


# Without inputs it makes nothing else, and without outputs it is made whenever it is asked for.
rule report_partial:
    log:
        "logs/report/partial.log",
    localrule: True
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        code=code("report.py"),
        page="results/report/partial.html",
        there=lambda wildcards: {
            **{system: there(paths) for system, paths in SHOWN.items()},
            "cohorts": there(COHORTS[study][1] for study in STUDIES),
            "excluded": there(["results/cohort/excluded_scans.tsv"]),
            "failures": there(["results/failures.tsv"]),
            "folds": there(["results/datasets/linear/folds.tsv"]),
            "qc": sorted(map(str, Path("results/preproc").glob("sub-*/ses-*/*/*_qc.png"))),
            "lock": source_file("requirements.lock"),
        },
        missing=lambda wildcards: [path for path in whole_report() if not Path(path).is_file()],
        config=CONCERNED,
        compared={figure: COMPARED[figure] for figure in ABLATIONS},
        groups=DIAGNOSED,
        labels=rules.report_page.params.labels,
        simulated=rules.report_page.params.simulated,
        studies=SOURCES,
        cohorts=rules.report_page.params.cohorts,
    script:
        "../scripts/report.py"
