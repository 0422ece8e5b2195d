"""Make a system's table of image error and diagnosis by sex, age, group and scanner.

From the image metrics and the predictions on Paired of all methods and folds, the dataset's visits
and the scanners that the headers tell.
"""

from mri2pet.datasets.scanners import with_scanners
from mri2pet.evaluation.image_tables import pool
from mri2pet.evaluation.strata import strata_table
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    visits = read_tsv(given.visits, dtype={"subject": str, "visit": str})
    table = strata_table(
        pool(given.metrics),
        pool(given.predictions),
        with_scanners(visits, read_tsv(given.scanners, dtype=str)),
        params.models,
        params.diagnosing,
        params.positive,
        params.groups,
        pool(harmonised) if (harmonised := given.get("harmonised")) else None,
    )
    write_tsv(snakemake.output[0], table)
