"""mri2pet: from raw MRI and PET scans to synthetic PET, diagnosis and a report."""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"


wildcard_constraints:
    subject="[A-Za-z0-9]+",
    visit="[A-Za-z0-9]+",
    tracer="[A-Za-z0-9]+",
    ptid=r"[A-Za-z0-9_-]+",
    system="|".join(SYSTEMS),
    model="[a-z0-9_]+",
    fold="[0-9]+",


include: "workflow/rules/resources.smk"
include: "workflow/rules/studies.smk"


if SIMULATIONS:

    include: "workflow/rules/studies/template.smk"


for population in SIMULATIONS:

    include: f"workflow/rules/studies/{population}.smk"


include: "workflow/rules/studies/cohorts.smk"
include: "workflow/rules/visit/convert.smk"
include: "workflow/rules/visit/preproc.smk"


if any(SPACES[space].warped for space in USED_SPACES):

    include: "workflow/rules/visit/warp.smk"


include: "workflow/rules/models/entries.smk"
include: "workflow/rules/spaces/excluded.smk"


for space in USED_SPACES:

    include: f"workflow/rules/spaces/{space}.smk"


include: "workflow/rules/models/train.smk"
include: "workflow/rules/models/synthesis.smk"
include: "workflow/rules/models/metrics.smk"
include: "workflow/rules/models/features.smk"
include: "workflow/rules/models/figures.smk"


for system in SYSTEMS:

    include: f"workflow/rules/papers/{system}/system.smk"


include: "workflow/rules/report.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/provenance.smk"


rule all:
    default_target: True
    input:
        "results/bids/participants.tsv",
        "results/report/report.html",
        "results/report/provenance.html",
