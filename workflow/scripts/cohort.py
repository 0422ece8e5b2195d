"""Make the cohort table of one study and its exclusions from the tables and names of raw scans.

The study's reader (ADNI, BIDS, IXI, or one of your own) writes results/cohort/{study}.tsv, one row
a visit with where its scans lie, and results/cohort/{study}_exclusions.tsv, one row a scan or
person that is left out, with the reason. No image is opened; of a simulated study none need be
there yet.
"""

from pathlib import Path

from mri2pet.cohorts import reader_module
from mri2pet.cohorts.contract import validate_cohort, warn_of_empty_groups
from mri2pet.cohorts.first_visits import keep_first
from mri2pet.cohorts.roles import check_roles
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    params = snakemake.params
    reader = reader_module(params.reader)
    read = reader.read(params.raw, params.study, params.listing)
    cohort, exclusions = keep_first(*read, params.study)
    schema = Path(snakemake.scriptdir).parent / "schemas/cohort.schema.yaml"
    write_tsv(snakemake.output.exclusions, exclusions)
    validate_cohort(cohort, schema)
    if params.roles:
        check_roles(cohort, params.study)
    warn_of_empty_groups(cohort, params.study)
    write_tsv(snakemake.output.table, cohort)
