"""Make a system's table of paired differences: each method's error minus that of the yardsticks.

From the metrics of all methods and folds; held-out visits of the groups learnt from count.
"""

from mri2pet.evaluation.image_tables import pool
from mri2pet.evaluation.paired_differences import paired_differences
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    values = pool(snakemake.input)
    write_tsv(snakemake.output[0], paired_differences(values, snakemake.params.groups))
