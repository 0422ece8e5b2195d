"""Mean intensity of every AAL region in grey and in white matter of the real MRI and PET.

From the dataset's volumes, its tissue probabilities, brain mask and atlas: one row a visit,
modality, tissue and region; PET rows for paired visits only. A dataset without tissue maps is
measured over whole regions.
"""

import numpy as np
import pandas as pd

from mri2pet.datasets.gaps import read_seen
from mri2pet.diagnosis.features import feature_table, read_tissues
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given = snakemake.input
    atlas, mask = np.load(given.atlas), np.load(given.mask)
    tissues = read_tissues({"GM": given.gm, "WM": given.wm}, mask)
    names = read_tsv(given.names)["name"].to_list()
    visits = read_tsv(given.visits, dtype={"subject": str, "visit": str})
    mri, pet = np.load(given.mri, mmap_mode="r"), np.load(given.pet, mmap_mode="r")
    paired = visits["kind"] == "paired"
    seen = read_seen(given.seen)
    tables = [
        feature_table(visits, "MRI", mri, tissues, atlas, mask, names),
        feature_table(visits[paired], "PET", pet[paired], tissues, atlas, mask, names, seen),
    ]
    write_tsv(snakemake.output[0], pd.concat(tables, ignore_index=True))
