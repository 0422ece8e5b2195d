"""Measure the synthesised T2 or PD of the people to validate and to test on: MAE and PSNR.

From all models' volumes and the real ones: one table, a row a person, model and metric. `copy` is
what the source image would score in place of a synthesised one.
"""

import numpy as np
import pandas as pd

from mri2pet.datasets.ixi_pack import of_split
from mri2pet.evaluation.contrast_tables import measure_people
from mri2pet.evaluation.tissues import COPY, direction
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, directions = snakemake.input, snakemake.params.directions
    rows = of_split(read_tsv(given.dataset, dtype={"subject": str}), "val", "test")
    real = {name: np.load(given[name], mmap_mode="r") for name in ("t2", "pd")}
    tables = []
    for path, (model, (source, target)) in zip(given.made, directions.items(), strict=True):
        made, where = np.load(path, mmap_mode="r"), direction(source, target)
        tables.append(measure_people(rows, real[target], made, model, where))
    for source, target in dict.fromkeys(map(tuple, directions.values())):
        copied, where = real[source][rows["index"].to_numpy()], direction(source, target)
        tables.append(measure_people(rows, real[target], copied, COPY, where))
    write_tsv(snakemake.output[0], pd.concat(tables, ignore_index=True))
