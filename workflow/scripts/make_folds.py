"""Deal the subjects of a dataset to cross-validation folds.

From visits.tsv: folds.tsv, one row a subject, and folds.json with the settings, the sizes and the
hash of folds.tsv. Where a role is asked for, people of another role have no fold and train nothing.
By site or scanner, all people of one are in the same fold; scanners.tsv tells whose is which.
"""

from mri2pet.datasets.folds import fold_sizes, make_folds
from mri2pet.datasets.scanners import with_scanners
from mri2pet.datasets.together import PERSON, units_of
from mri2pet.files import read_tsv, sha256, write_json, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    params = snakemake.params
    visits = read_tsv(snakemake.input.visits, dtype={"subject": str, "visit": str})
    if params.role:
        visits = visits[visits["role"] == params.role]
    by, units = params.get("by", PERSON), None
    if by != PERSON:
        scanners = read_tsv(snakemake.input.scanners, dtype=str)
        units = units_of(with_scanners(visits, scanners).to_dict("records"), by)
    folds = make_folds(visits, params.n, params.seed, params.groups, by, units)
    write_tsv(snakemake.output.table, folds)
    digest = sha256(snakemake.output.table)
    record = {
        "n": params.n,
        "seed": params.seed,
        "sha256": digest,
        "subjects": fold_sizes(folds),
        **({} if by == PERSON else {"by": by}),
    }
    write_json(snakemake.output.description, record)
