"""Deal the subjects of a dataset to cross-validation folds.

From visits.tsv: folds.tsv, one row a subject, and folds.json with the settings, the sizes and the
hash of folds.tsv. Where a role is asked for, people of another role have no fold and train nothing.
"""

from mri2pet.datasets.folds import fold_sizes, make_folds
from mri2pet.files import read_tsv, sha256, write_json, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    params = snakemake.params
    visits = read_tsv(snakemake.input.visits, dtype={"subject": str, "visit": str})
    if params.role:
        visits = visits[visits["role"] == params.role]
    folds = make_folds(visits, params.n, params.seed, groups=params.groups)
    write_tsv(snakemake.output.table, folds)
    digest = sha256(snakemake.output.table)
    record = {
        "n": params.n,
        "seed": params.seed,
        "sha256": digest,
        "subjects": fold_sizes(folds),
    }
    write_json(snakemake.output.description, record)
