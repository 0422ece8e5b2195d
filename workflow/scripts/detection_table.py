"""Make the table of detectors, their tests, and the curves of Figure 4.

From what each detector has found in patients and in held-out controls: sensitivity over the number
of clusters beside chance, false alarms, and the free-response curve, beside what the paper printed.
"""

import pandas as pd

from mri2pet.anomaly.detection import detection_curve
from mri2pet.anomaly.detection_tables import Found, detection_table, detector_tests
from mri2pet.anomaly.free_response import free_response_curve
from mri2pet.anomaly.patients import known
from mri2pet.anomaly.training_sets import TEXT
from mri2pet.evaluation.image_tables import read_published
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    types = {**TEXT, "hits": str, "other": str}
    parts = zip(given.patients, given.controls, given.clusters, given.chance, strict=True)
    tables = [[read_tsv(path, dtype=types) for path in paths] for paths in parts]
    found = {name: Found(*own) for name, own in zip(params.detectors, tables, strict=True)}
    curves = [detection_curve(each.curves(), name) for name, each in found.items()]
    free = [
        free_response_curve(name, known(each.patients), each.controls, each.clusters, each.chance)
        for name, each in found.items()
    ]
    write_tsv(made.curve, pd.concat(curves, ignore_index=True))
    write_tsv(made.free, pd.concat(free, ignore_index=True))
    write_tsv(made.tests, detector_tests(found))
    published = read_published(given.published, "Figure 4")
    write_tsv(made.table, detection_table(found, published))
