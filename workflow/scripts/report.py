"""Make the report: one self-contained page with what was run, tables, figures and QC.

From the cohorts, folds and exclusions, what each system shows (tables beside the published values,
figures, training curves), QC pictures and the configuration. The partial report is the same of what
is there, with a list of what is not.
"""

import platform
from dataclasses import replace

import pandas as pd
import yaml

from mri2pet import __version__
from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting import gla_gan, views
from mri2pet.reporting.captions import LEAD, PACKAGES, STUDIES, TITLE
from mri2pet.reporting.html import Report, pinned_versions, write
from mri2pet.reporting.pictures import qc_visits
from mri2pet.reporting.system_sections import system_sections

with recorded(snakemake):
    params = snakemake.params
    given = params.get("there") or snakemake.input
    text = {"subject": str, "visit": str}
    excluded = views.pool(given["excluded"], dtype=str, keep_default_na=False, na_values=[])
    folds = [views.fold_summary(read_tsv(path, dtype=text)) for path in given["folds"]]
    cohorts = {path: STUDIES[params.cohorts[path]] for path in given["cohorts"]}
    report = Report(
        title=TITLE,
        lead=LEAD,
        simulated=params.simulated,
        studies=["adni"] if "adni" in params.simulated else [],
        cohort=views.cohort_summary(views.pool_cohorts(cohorts, dtype=text)),
        folds=folds[0] if folds else pd.DataFrame(),
        excluded=views.with_headings(excluded),
        missing=params.get("missing", []),
        failed=views.with_headings(views.pool(given.get("failures", []), dtype=str)),
        qc=qc_visits(given["qc"], views.exclusion_notes(excluded)),
        config=yaml.safe_dump(params.config, sort_keys=False, allow_unicode=True),
        versions={"mri2pet": __version__, "Python": platform.python_version()}
        | pinned_versions(given["lock"], PACKAGES),
    )
    if "gla_gan" in params.labels:
        labels, shown = params.labels["gla_gan"], given["gla_gan"]
        report.tables = gla_gan.tables(shown, labels)
        report.figures = gla_gan.figures(shown)
        report.curves = gla_gan.curves(shown, labels)
        further = gla_gan.further(shown, labels, params.compared, params.groups)
        report.sections = [replace(each, studies=report.studies) for each in further]
    for system, labels in params.labels.items():
        studies = params.studies[system]
        report.sections += system_sections(system, given[system], labels, studies)
    write(report, params.get("page") or snakemake.output[0])
