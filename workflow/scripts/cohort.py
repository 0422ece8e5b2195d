"""Make the cohort table and its exclusions from the tables of an ADNI download.

Reads every CSV at the top of the raw folder (image collections and ADNIMERGE) and writes
results/cohort/cohort.tsv, one row a visit, and results/cohort/exclusions.tsv, one row an image
that is left out, with the reason. No image is opened.
"""

from pathlib import Path

from mri2pet.cohorts.adni.reader import build_cohort
from mri2pet.cohorts.contract import validate_cohort
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    cohort, exclusions = build_cohort(
        snakemake.input.tables,
        groups=snakemake.params.groups,
        max_days_apart=snakemake.params.max_days_apart,
        exclude=snakemake.params.exclude,
        raw=snakemake.params.raw,
    )
    validate_cohort(cohort, Path(snakemake.scriptdir).parent / "schemas/cohort.schema.yaml")
    write_tsv(snakemake.output.exclusions, exclusions)
    write_tsv(snakemake.output.table, cohort)
