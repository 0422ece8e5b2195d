"""Draw patients' clusters over their MRI, a row a patient and a column a detector (Figure 3)."""

import numpy as np

from mri2pet.anomaly.people import TEXT
from mri2pet.files import read_json, read_tsv
from mri2pet.logs import log_to
from mri2pet.reporting.clusters import Case, clusters_figure
from mri2pet.reporting.figures import save

SHOWN = 4  # patients, those with a known lesion first

with log_to(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    mri, lesions = (np.load(path, mmap_mode="r") for path in (given.mri, given.lesion))
    affine = np.array(read_json(given.description)["affine"])
    table = read_tsv(given.visits[0], dtype=TEXT)
    rows = table[table["role"] == "patient"].reset_index(drop=True)
    ranks = [np.load(path, mmap_mode="r") for path in given.ranks]
    found = [read_tsv(path, dtype={**TEXT, "hits": str}) for path in given.patients]
    known = [bool(np.any(lesions[index])) for index in rows["dataset_index"]]
    cases = []
    for place in sorted(range(len(rows)), key=lambda place: not known[place])[:SHOWN]:
        index = rows.loc[place, "dataset_index"]
        hits = [str(one.loc[place, "hits"]) if one.loc[place, "hits"] == one.loc[place, "hits"] else ""
                for one in found]
        cases.append(
            Case(
                title=rows.loc[place, "subject"],
                mri=np.array(mri[index]),
                lesion=np.array(lesions[index]) > 0.5,
                ranks=[np.array(one[place]) for one in ranks],
                hits=[[int(rank) for rank in text.split(",") if rank] for text in hits],
            )
        )
    figure = clusters_figure(
        cases, list(params.labels.values()), np.load(given.mask), affine, params.note
    )
    save(figure, snakemake.output[0])
