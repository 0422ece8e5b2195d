"""Write the scripts of the report's viewer: MRI, real and synthetic PET of people held out.

One script a visit, loaded by the page when it is asked for, and one with the atlas and the names of
its regions.
"""

from pathlib import Path

import numpy as np

from mri2pet.files import read_json, read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.viewer import held_out, write_viewer

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    text = {"subject": str, "visit": str}
    tables = {}
    for array, table in zip(given.synthetic, given.visits, strict=True):
        folds = tables.setdefault(Path(table).parts[-3], [])
        folds.append((array, read_tsv(table, dtype=text)))
    names = read_tsv(given.names).set_index("index")["name"].to_dict()
    arrays = {name: given[name] for name in ("mri", "pet", "mask", "atlas")}
    affine = np.array(read_json(given.description)["affine"])
    write_viewer(
        snakemake.output[0], params.system, held_out(tables), arrays, params.labels, names, affine
    )
