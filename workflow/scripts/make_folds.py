"""Deal the subjects of a dataset to cross-validation folds.

From visits.tsv: folds.tsv, one row a subject, and folds.json with the settings, the sizes and the
hash of folds.tsv.
"""

from mri2pet.datasets.folds import fold_sizes, make_folds
from mri2pet.files import read_tsv, sha256, write_json, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    n, seed = snakemake.params.n, snakemake.params.seed
    folds = make_folds(read_tsv(snakemake.input.visits, dtype={"subject": str}), n, seed)
    write_tsv(snakemake.output.table, folds)
    digest = sha256(snakemake.output.table)
    record = {"n": n, "seed": seed, "sha256": digest, "subjects": fold_sizes(folds)}
    write_json(snakemake.output.description, record)
