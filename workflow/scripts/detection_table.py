"""Make the table of detectors and their detection curves (Figure 4).

From each detector's patients.tsv: how many patients' lesions are met by the first k clusters, for
the clusters as ranked and in random order, beside what the paper printed.
"""

from mri2pet.anomaly.detection_tables import curves, detection_table
from mri2pet.anomaly.training_sets import TEXT
from mri2pet.evaluation.image_tables import read_published
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    tables = [read_tsv(path, dtype={**TEXT, "hits": str}) for path in given.patients]
    patients = dict(zip(params.detectors, tables, strict=True))
    curve = curves(patients, params.most)
    write_tsv(made.curve, curve)
    published = read_published(given.published, "Figure 4")
    write_tsv(made.table, detection_table(curve, published, patients))
