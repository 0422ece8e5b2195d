"""Draw patients' clusters over their MRI, a row a patient and a column a detector (Figure 3)."""

import numpy as np

from mri2pet.anomaly.patients import ranks_of
from mri2pet.anomaly.training_sets import TEXT
from mri2pet.files import read_json, read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.cluster_figures import Case, clusters_figure
from mri2pet.reporting.figures import save

SHOWN = 4  # patients, those with a known lesion first

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    mri, lesions = (np.load(path, mmap_mode="r") for path in (given.mri, given.lesion))
    table = read_tsv(given.visits[0], dtype=TEXT)
    rows = table[table["role"] == "patient"].reset_index(drop=True)
    ranks = [np.load(path, mmap_mode="r") for path in given.ranks]
    tables = [read_tsv(path, dtype={**TEXT, "hits": str}) for path in given.patients]
    known = tables[0]["lesion_ml"].notna()
    cases = [
        Case(
            title=rows.loc[place, "subject"],
            mri=np.array(mri[rows.loc[place, "dataset_index"]]),
            lesion=np.array(lesions[rows.loc[place, "dataset_index"]]) > 0.5,
            ranks=[np.array(one[place]) for one in ranks],
            hits=[ranks_of(one.loc[place, "hits"]) for one in tables],
        )
        for place in sorted(rows.index, key=lambda place: not known[place])[:SHOWN]
    ]
    affine, mask = np.array(read_json(given.description)["affine"]), np.load(given.mask)
    labels = list(params.labels.values())
    save(clusters_figure(cases, labels, mask, affine, params.note), snakemake.output[0])
