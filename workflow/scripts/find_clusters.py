"""Turn a detector's decision values into patients' score maps and ranked clusters.

Patients' maps are standardised by those of the held-out controls, cut into clusters, and the
clusters compared with the lesions that are known: scores.npy, ranks.npy (a map a patient),
clusters.tsv (a row a cluster) and patients.tsv (a row a patient).
"""

import numpy as np

from mri2pet.anomaly.clusters import ClusterSettings
from mri2pet.anomaly.maps import anomaly_maps, sigma_voxels
from mri2pet.anomaly.patients import examine
from mri2pet.anomaly.training_sets import TEXT
from mri2pet.datasets.gaps import read_seen
from mri2pet.files import atomic, read_json, read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    visits = read_tsv(given.visits, dtype=TEXT)
    decisions, mask = np.load(given.decisions, mmap_mode="r"), np.load(given.mask)
    affine = np.array(read_json(given.description)["affine"])
    patient = (visits["role"] == "patient").to_numpy()
    near, far = (
        sigma_voxels(params.scores[key], affine) for key in ("smoothing_mm", "background_mm")
    )
    how = params.scores["standardise"]
    scores = anomaly_maps(decisions[~patient], decisions[patient], mask, near, how, far)
    rows = visits[patient].reset_index(drop=True)
    lesions = np.load(given.lesion, mmap_mode="r")[rows["dataset_index"]] > 0.5
    settings = ClusterSettings(**params.clusters)
    seen = read_seen(given.seen, rows["dataset_index"])
    parts = None if seen is None else [seen[index] for index in rows["dataset_index"]]
    ranks, clusters, patients = examine(rows, scores, lesions, mask, affine, settings, parts)
    for path, array in ((made.scores, scores), (made.ranks, ranks)):
        with atomic(path) as partial:
            np.save(partial, array)
    write_tsv(made.clusters, clusters)
    write_tsv(made.patients, patients)
