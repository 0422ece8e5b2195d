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
include: "workflow/rules/studies/adni_simulated.smk"
include: "workflow/rules/studies/adni.smk"


if "gan_anomaly" in SYSTEMS:

    include: "workflow/rules/studies/bids.smk"


include: "workflow/rules/visit/convert.smk"
include: "workflow/rules/visit/preproc.smk"
include: "workflow/rules/spaces/spaces.smk"
include: "workflow/rules/spaces/linear.smk"
include: "workflow/rules/models/train.smk"
include: "workflow/rules/models/synthesis.smk"
include: "workflow/rules/models/metrics.smk"
include: "workflow/rules/models/features.smk"
include: "workflow/rules/papers/gla_gan/diagnosis.smk"
include: "workflow/rules/papers/gla_gan/tables.smk"
include: "workflow/rules/papers/gla_gan/ablations.smk"
include: "workflow/rules/papers/gla_gan/three_way.smk"
include: "workflow/rules/papers/gla_gan/figures.smk"
include: "workflow/rules/papers/gla_gan/interpretation.smk"


if {"nonlinear", "anomaly"} & set(SPACES):

    include: "workflow/rules/visit/warp.smk"


if "dual_glow" in SYSTEMS:

    include: "workflow/rules/spaces/nonlinear.smk"
    include: "workflow/rules/papers/dual_glow/uncertainty.smk"
    include: "workflow/rules/papers/dual_glow/dual_glow.smk"
    include: "workflow/rules/papers/dual_glow/ages.smk"


if "ixi" in STUDIES:

    include: "workflow/rules/studies/ixi.smk"


if "ixi" in SYSTEMS:

    include: "workflow/rules/papers/ixi/ixi.smk"
    include: "workflow/rules/papers/ixi/ixi_results.smk"


if "gan_anomaly" in SYSTEMS:

    include: "workflow/rules/spaces/anomaly.smk"
    include: "workflow/rules/papers/gan_anomaly/gan_anomaly.smk"
    include: "workflow/rules/papers/gan_anomaly/detector.smk"


include: "workflow/rules/spaces/pack.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/provenance.smk"


rule all:
    default_target: True
    input:
        "results/bids/participants.tsv",
        "results/report/report.html",
        "results/report/provenance.html",
