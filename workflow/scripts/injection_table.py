"""Make the table of injected lesions: how often each is found at each depth, by each detector."""

from mri2pet.anomaly.injection_tables import injection_table
from mri2pet.anomaly.training_sets import TEXT
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    params = snakemake.params
    tables = [read_tsv(path, dtype={**TEXT, "hits": str}) for path in snakemake.input.found]
    found = dict(zip(params.detectors, tables, strict=True))
    write_tsv(snakemake.output.table, injection_table(found, params.most))
