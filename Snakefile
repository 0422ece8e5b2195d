"""mri2pet: from raw MRI and PET scans to synthetic PET, diagnosis and a report."""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"


wildcard_constraints:
    subject="[A-Za-z0-9]+",
    visit="[A-Za-z0-9]+",
    ptid=r"[A-Za-z0-9_-]+",
    system="|".join(SYSTEMS),
    model="[a-z0-9_]+",
    fold="[0-9]+",


include: "workflow/rules/resources.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/cohort.smk"


if "gan_anomaly" in SYSTEMS:

    include: "workflow/rules/epilepsy.smk"


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


if {"nonlinear", "anomaly"} & set(SPACES):

    include: "workflow/rules/warp.smk"


if "dual_glow" in SYSTEMS:

    include: "workflow/rules/nonlinear.smk"
    include: "workflow/rules/uncertainty.smk"
    include: "workflow/rules/dual_glow.smk"
    include: "workflow/rules/dual_glow_ages.smk"


if "ixi" in STUDIES:

    include: "workflow/rules/ixi_raw.smk"


if "ixi" in SYSTEMS:

    include: "workflow/rules/ixi.smk"
    include: "workflow/rules/ixi_results.smk"


if "gan_anomaly" in SYSTEMS:

    include: "workflow/rules/anomaly.smk"
    include: "workflow/rules/gan_anomaly.smk"
    include: "workflow/rules/detector.smk"


include: "workflow/rules/report.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/provenance.smk"


rule all:
    default_target: True
    input:
        "results/bids/participants.tsv",
        "results/report/report.html",
        "results/report/provenance.html",
