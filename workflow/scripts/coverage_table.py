"""Make a system's table of intervals: coverage, width and scores of every method that gives them.

From the intervals and scores of each method and fold; held-out visits of the groups learnt from
count.
"""

from mri2pet.evaluation.coverage_tables import coverage_table, read_intervals
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    tables = (read_intervals(paths) for paths in (given.coverage, given.scores))
    write_tsv(snakemake.output[0], coverage_table(*tables, params.models, params.groups))
