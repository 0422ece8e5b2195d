"""Mean intensity of every AAL region in grey and in white matter of a model's synthetic PET.

From the PET of each fold and the tissue probabilities of the visits' MRI: one table a fold, one
row a visit, tissue and region; over whole regions where there are no tissue maps.
"""

import numpy as np

from mri2pet.diagnosis.features import feature_table, read_tissues
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given = snakemake.input
    atlas, mask = np.load(given.atlas), np.load(given.mask)
    tissues = read_tissues({"GM": given.gm, "WM": given.wm}, mask)
    names = read_tsv(given.names)["name"].to_list()
    for visits, pet, output in zip(given.visits, given.pet, snakemake.output, strict=True):
        rows = read_tsv(visits, dtype={"subject": str, "visit": str})
        volumes = np.load(pet, mmap_mode="r")
        table = feature_table(rows, "PET", volumes, tissues, atlas, mask, names)
        write_tsv(output, table)
