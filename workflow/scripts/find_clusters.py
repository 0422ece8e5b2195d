"""Turn a detector's decision values into score maps, ranked clusters, and what chance would find.

Patients' maps are standardised by those of the held-out controls, the controls' by those of the
other controls; all are cut into clusters. Patients' clusters are compared with the lesions that
are known, and with these lesions moved elsewhere: scores.npy, ranks.npy (a map a patient),
clusters.tsv (a row a cluster), patients.tsv and controls.tsv (a row a person), chance.tsv.
"""

import numpy as np

from mri2pet.anomaly.clusters import ClusterSettings
from mri2pet.anomaly.examination import Space, examine_everyone
from mri2pet.anomaly.training_sets import TEXT, split_folds
from mri2pet.datasets.gaps import read_seen
from mri2pet.files import atomic, read_json, read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    visits, folds = (read_tsv(path, dtype=TEXT) for path in (given.visits, given.folds))
    patients = visits["role"] == "patient"
    lesions = np.load(given.lesion, mmap_mode="r")[visits.loc[patients, "dataset_index"]] > 0.5
    space = Space(
        mask=np.load(given.mask),
        grey=np.load(given.atlas) > 0,
        affine=np.array(read_json(given.description)["affine"]),
        seen=read_seen(given.seen, visits["dataset_index"]),
    )
    examined = examine_everyone(
        visits,
        np.load(given.decisions, mmap_mode="r"),
        lesions,
        split_folds(folds, params.splits),
        space,
        params.scores,
        ClusterSettings.of(params.clusters),
        params.seed,
        params.direction,
    )
    for name in ("scores", "ranks"):
        with atomic(made[name]) as partial:
            np.save(partial, getattr(examined, name))
    for name in ("clusters", "patients", "controls", "chance"):
        write_tsv(made[name], getattr(examined, name))
