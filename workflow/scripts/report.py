"""Make the report: one self-contained page with what was run, tables, figures and QC.

From the cohort, folds and exclusions, the tables beside the published values, ablations, three-way
diagnosis, DUAL-GLOW's results, figures, training curves, QC pictures and the configuration.
"""

import platform

import yaml

from mri2pet import __version__
from mri2pet.files import read_tsv
from mri2pet.logs import log_to
from mri2pet.reporting import dual_glow, insight, sections, views
from mri2pet.reporting.captions import CURVES, LEAD, PACKAGES, SYNTHESIS, TABLES, TITLE
from mri2pet.reporting.html import Picture, Report, pinned_versions, write
from mri2pet.reporting.pictures import data_uri, is_there, qc_visits

with log_to(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    text = {"subject": str, "visit": str}
    excluded = read_tsv(given.excluded, dtype=str, keep_default_na=False, na_values=[])
    ablations = zip(params.ablations.items(), given.ablations, given.ablation_figures, strict=True)
    further = [
        sections.ablation_section(name, *paths, labels) for (name, labels), *paths in ablations
    ]
    if given.three_way:
        paths = given.three_way, given.three_way_figure
        further.append(sections.three_way_section(*paths, params.labels))
    further += insight.sections(given.dissection, given.interpolation, params.groups)
    further += dual_glow.sections(given.dual_glow, params.flows)
    report = Report(
        title=TITLE,
        lead=LEAD,
        simulated=params.simulated,
        cohort=views.cohort_summary(read_tsv(given.cohort, dtype=text)),
        folds=views.fold_summary(read_tsv(given.folds, dtype=text)),
        excluded=views.with_headings(excluded),
        tables=[
            views.table_view(*TABLES[number], read_tsv(path), params.labels)
            for number, path in zip(("I", "II", "III"), given.tables, strict=True)
        ],
        sections=further,
        figures=[
            Picture(f"Synthetic PET, {group} case", SYNTHESIS, data_uri(path))
            for group, path in zip(params.groups, given.figures, strict=True)
            if is_there(path)
        ],
        curves=[
            Picture(f"Training of {label}", CURVES, data_uri(path))
            for label, path in zip(params.models, given.curves, strict=True)
            if is_there(path)
        ],
        qc=qc_visits(given.qc, views.exclusion_notes(excluded)),
        config=yaml.safe_dump(params.config, sort_keys=False, allow_unicode=True),
        versions={"mri2pet": __version__, "Python": platform.python_version()}
        | pinned_versions(given.lock, PACKAGES),
    )
    write(report, snakemake.output[0])
