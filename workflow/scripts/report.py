"""Make the report: one self-contained page with what was run, tables, figures and QC.

From the cohorts, folds and exclusions, what each system shows (tables beside the published values,
figures, training curves), QC pictures and the configuration. The partial report is the same of what
is there, with a list of what is not.
"""

import platform

import pandas as pd
import yaml

from mri2pet import __version__
from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting import parameters, views
from mri2pet.reporting.captions import LEAD, PACKAGES, SOURCES, TITLE
from mri2pet.reporting.html import Report, pinned_versions, write
from mri2pet.reporting.pictures import qc_visits
from mri2pet.reporting.qc_measures import qc_view
from mri2pet.reporting.system_sections import system_sections

with recorded(snakemake):
    params = snakemake.params
    given = params.get("there") or snakemake.input
    text = {"subject": str, "visit": str}
    excluded = views.pool(given["excluded"], dtype=str, keep_default_na=False, na_values=[])
    measures = views.pool(given["measures"], dtype=text)
    folds = [views.fold_summary(read_tsv(path, dtype=text)) for path in given["folds"]]
    cohorts = {path: params.cohorts[path] for path in given["cohorts"]}
    report = Report(
        title=TITLE,
        lead=f"{LEAD}{'; '.join(SOURCES[system] for system in params.labels)}.",
        simulated=params.simulated,
        studies=params.folds_of,
        cohort=views.cohort_summary(views.pool_cohorts(cohorts, dtype=text)),
        folds=folds[0] if folds else pd.DataFrame(),
        excluded=views.with_headings(excluded),
        missing=params.get("missing", []),
        failed=views.with_headings(views.pool(given.get("failures", []), dtype=str)),
        qc=qc_visits(given["qc"], views.exclusion_notes(excluded)),
        measures={name: qc_view(measures, name) for name in ("MRI", "PET")},
        config=yaml.safe_dump(params.config, sort_keys=False, allow_unicode=True),
        versions={"mri2pet": __version__, "Python": platform.python_version()}
        | pinned_versions(given["lock"], PACKAGES),
    )
    for system, labels in params.labels.items():
        options = params.options.get(system, {})
        makers, studies = params.sections[system], params.studies[system]
        report.sections += system_sections(makers, given[system], labels, studies, options)
    report.sections += parameters.sections(given["parameters"], params.labels)
    write(report, params.get("page") or snakemake.output[0])
