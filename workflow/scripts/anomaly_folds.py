"""Deal the controls of the anomaly study to folds; patients have none, and train nothing.

From visits.tsv: folds.tsv, one row a control (with PET or with an MRI alone), and folds.json with
the settings, the sizes and the hash of folds.tsv.
"""

from mri2pet.datasets.folds import fold_sizes, make_folds
from mri2pet.files import read_tsv, sha256, write_json, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    n, seed = snakemake.params.n, snakemake.params.seed
    visits = read_tsv(snakemake.input.visits, dtype={"subject": str, "visit": str})
    controls = visits[visits["role"] == "control"]
    folds = make_folds(controls, n, seed, groups=["control"])
    write_tsv(snakemake.output.table, folds)
    digest = sha256(snakemake.output.table)
    record = {"n": n, "seed": seed, "sha256": digest, "subjects": fold_sizes(folds)}
    write_json(snakemake.output.description, record)
