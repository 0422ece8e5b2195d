"""Make the report: one self-contained page with a summary, what was run, tables, figures and QC.

From cohorts, folds, exclusions, what each system shows, QC pictures, the appendix (methods, rules)
and the configuration. The partial report is the same of what is there, and says what is not.
"""

import platform

import yaml

from mri2pet import __version__
from mri2pet.provenance.record import recorded
from mri2pet.reporting import parameters, views
from mri2pet.reporting.appendix import appendix
from mri2pet.reporting.captions import LEAD, PACKAGES, SOURCES, TITLE
from mri2pet.reporting.html import Report, pinned_versions, write
from mri2pet.reporting.pictures import qc_visits
from mri2pet.reporting.qc_measures import qc_view
from mri2pet.reporting.qc_order import worst_of_visits
from mri2pet.reporting.summary import study
from mri2pet.reporting.summary.build import summary
from mri2pet.reporting.system_sections import systems_sections
from mri2pet.reporting.viewer import viewers

with recorded(snakemake):
    params = snakemake.params
    given = params.get("there") or snakemake.input
    page = params.get("page") or snakemake.output[0]
    text = {"subject": str, "visit": str}
    excluded = views.pool(given["excluded"], dtype=str, keep_default_na=False, na_values=[])
    measures = views.pool(given["measures"], dtype=text)
    folds = views.pool(given["folds"], dtype=text)
    cohorts = {path: params.cohorts[path] for path in given["cohorts"]}
    cohort = views.pool_cohorts(cohorts, dtype=text)
    notes, nearest = views.exclusion_notes(excluded), worst_of_visits(measures)
    report = Report(
        title=TITLE,
        lead=f"{LEAD}{'; '.join(SOURCES[system] for system in params.labels)}.",
        simulated=params.simulated,
        studies=params.folds_of,
        cohort=views.cohort_summary(cohort),
        folds=folds if folds.empty else views.fold_summary(folds),
        excluded=views.with_headings(excluded),
        missing=params.get("missing", []),
        failed=views.with_headings(views.pool(given.get("failures", []), dtype=str)),
        qc=qc_visits(given["qc"], notes, nearest, page),
        measures={name: qc_view(measures, name) for name in ("MRI", "PET")},
        viewers=viewers(given["viewers"]),
        config=yaml.safe_dump(params.config, sort_keys=False, allow_unicode=True),
        versions={"mri2pet": __version__, "Python": platform.python_version()}
        | pinned_versions(given["lock"], PACKAGES),
        **appendix(given, params.labels),
    )
    made = systems_sections(given, params.labels, params.sections, params.studies, params.options)
    sound = study.sound(cohort, excluded, measures, report.missing, report.failed)
    whom = study.whom(cohort, params.simulated)
    report.summary = summary(params.labels, given, made, params.studies, whom, sound)
    report.sections = [section for sections in made.values() for section in sections]
    report.sections += parameters.sections(given["parameters"], params.labels)
    write(report, page)
