"""Say where the run's results come from: a page for people and an RO-Crate for machines.

From the records of all jobs on which the report and the list of participants depend:
results/report/provenance.html and results/crate/, which holds hashes and no data.
"""

from mri2pet.files import read_tsv
from mri2pet.provenance.crate import write_crate
from mri2pet.provenance.record import recorded
from mri2pet.provenance.records import read_records
from mri2pet.reporting.captions import PROVENANCE
from mri2pet.reporting.provenance_page import write_page
from mri2pet.reporting.views import with_headings

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    results = [given.report, given.participants]
    records = read_records(params.records).of(results)
    excluded = read_tsv(given.excluded, dtype=str, keep_default_na=False, na_values=[])
    write_page(snakemake.output.page, records, with_headings(excluded), PROVENANCE)
    tables = [path for path in records.made if "/tables/" in path]
    write_crate(
        snakemake.output.crate,
        records,
        params.root,
        params.config,
        engine=params.snakemake,
        results=[*results, *sorted(tables)],
    )
