"""The report, and one of what is there when a run did not come to its end."""

from functools import partial

SECTIONS = {system: list(KNOWN_SYSTEMS[system].sections) for system in SYSTEMS}
FOLDS_STUDIES = [space_study("linear")] if "linear" in USED_SPACES else []
TEMPLATES = ("report.html", "summary.html", "report.css", "report.js", "viewer.js")
VIEWERS = expand("results/report/viewer/{system}", system=PET_SYSTEMS)
GRAPHS = [source_file(f"workflow/report/rules-{system}.svg") for system in SYSTEMS]
LOCKS = [source_file("requirements.lock"), source_file("requirements.in")]  # torch is in the latter
REPORT_CODE = [symbol for symbols in SECTIONS.values() for symbol in symbols]


def there(paths):
    """Return those of some files that exist, as text: a rule's own outputs know all of the workflow."""
    return [str(path) for path in paths if Path(path).is_file()]


def judged_spaces():
    """Return the spaces with PET, whose scans are held to limits; IXI's are not."""
    return [space for space in USED_SPACES if PACKED[space]["input"].get("pet_sidecar") is not None]


def whole_report():
    """Return all files that the whole report shows, as far as the cohorts are known."""
    cohorts = [COHORT.format(study=study) for study in STUDIES]
    judged = {space_study(space) for space in judged_spaces()}
    tables = there(COHORT.format(study=study) for study in STUDIES if study in judged)
    visits = [visit for table in tables for visit in read_cohort(table, 0)]
    checked = f"results/preproc/{VISIT}/anat/{NAME}_qc.json"
    return [
        *cohorts,
        *(checked.format(subject=subject, visit=visit) for subject, visit in visits),
        *(path for paths in SHOWN.values() for path in paths),
    ]


def qc_sidecars(wildcards):
    """Return the sidecars of all stages that judge a scan of a space with PET."""
    found = []
    for space in judged_spaces():
        every = anomaly_visits if space == "anomaly" else partial(each_visit, space=space)
        pets = PACKED[space]["input"]["pet_sidecar"]
        found += [*every(f"{ANAT}_qc.json")(wildcards), *pets(wildcards)]
    return list(dict.fromkeys(found))


rule qc_table:
    input:
        qc_sidecars,
    output:
        "results/cohort/qc.tsv",
    log:
        "logs/qc_table/qc_table.log",
    localrule: True
    conda:
        "../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("qc_table.py"),
    script:
        "../scripts/qc_table.py"


rule report_page:
    input:
        **SHOWN,
        cohorts=[COHORT.format(study=study) for study in STUDIES],
        excluded=["results/cohort/excluded_scans.tsv"],
        folds=["results/datasets/linear/folds.tsv"] if "linear" in USED_SPACES else [],
        qc=qc_pictures,
        measures=["results/cohort/qc.tsv"],
        parameters=["results/report/parameters.tsv"],
        viewers=VIEWERS,
        methods=["results/report/methods.md"],
        checklist=["results/report/checklist.tsv"],
        graphs=GRAPHS,
        lock=LOCKS,
        template=[source_file(f"src/mri2pet/reporting/templates/{part}.j2") for part in TEMPLATES],
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
        code=code("report.py", *REPORT_CODE),
        config=CONCERNED,
        options=SECTION_OPTIONS,
        labels={system: labels_of(system) | FURTHER_LABELS.get(system, {}) for system in SYSTEMS},
        simulated={name: study.simulated for name, study in STUDIES.items()},
        studies=SOURCES,
        sections=SECTIONS,
        folds_of=FOLDS_STUDIES,
        cohorts={COHORT.format(study=study): study for study in STUDIES},
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
        code=code("report.py", *REPORT_CODE),
        page="results/report/partial.html",
        there=lambda wildcards: {
            **{system: there(paths) for system, paths in SHOWN.items()},
            "cohorts": there(COHORT.format(study=study) for study in STUDIES),
            "excluded": there(["results/cohort/excluded_scans.tsv"]),
            "failures": there(["results/failures.tsv"]),
            "folds": there(["results/datasets/linear/folds.tsv"]),
            "qc": sorted(map(str, Path("results/preproc").glob("sub-*/ses-*/*/*_qc.png"))),
            "measures": there(["results/cohort/qc.tsv"]),
            "parameters": there(["results/report/parameters.tsv"]),
            "viewers": [path for path in VIEWERS if Path(path).is_dir()],
            "methods": there(["results/report/methods.md"]),
            "checklist": there(["results/report/checklist.tsv"]),
            "graphs": GRAPHS,
            "lock": LOCKS,
        },
        missing=lambda wildcards: [str(path) for path in whole_report() if not Path(path).is_file()],
        config=CONCERNED,
        options=SECTION_OPTIONS,
        labels=rules.report_page.params.labels,
        simulated=rules.report_page.params.simulated,
        studies=SOURCES,
        sections=SECTIONS,
        folds_of=FOLDS_STUDIES,
        cohorts=rules.report_page.params.cohorts,
    script:
        "../scripts/report.py"
