"""mri2pet: from raw MRI and PET scans to synthetic PET, diagnosis and a report."""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


wildcard_constraints:
    subject="[A-Za-z0-9]+",
    visit="[A-Za-z0-9]+",
    ptid=r"[A-Za-z0-9_-]+",
    model="[a-z0-9_]+",
    fold="[0-9]+",


include: "workflow/rules/common.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/cohort.smk"
include: "workflow/rules/bids.smk"
include: "workflow/rules/preproc.smk"
include: "workflow/rules/dataset.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/synthesis.smk"
include: "workflow/rules/metrics.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/diagnosis.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/ablations.smk"
include: "workflow/rules/three_way.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/interpretation.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        "results/bids/participants.tsv",
        "results/report/report.html",
