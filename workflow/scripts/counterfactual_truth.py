"""Work out what the PET of simulated people would show at other ages and diagnoses.

From the truth about each paired visit: the expected uptake with the anatomy held as it is, as the
scanner mixes it in the regions of the dataset's atlas, on the scale of the networks' PET.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet.cohorts.adni.scans import subject_label
from mri2pet.evaluation.counterfactual import true_values
from mri2pet.files import read_json, read_tsv, write_tsv
from mri2pet.provenance.record import recorded
from mri2pet.simulation.counterfactual import anatomy_of, mixing
from mri2pet.simulation.template import load_template

TEXT = {"subject": str, "visit": str}

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    truths = {}
    for folder in given.truths:
        for path in Path(folder).rglob("truth.json"):
            values = read_json(path)
            truths[subject_label(values["ptid"]), values["visit"]] = values
    names = read_tsv(given.names)["name"].to_list()
    mixed = mixing(
        load_template(Path(given.about).parent),
        np.load(given.atlas),
        np.load(given.mask),
        np.array(read_json(given.description)["affine"]),
        len(names),
        params.reference,
        params.ceiling,
    )
    visits = read_tsv(given.visits, dtype=TEXT).query("kind == 'paired'")
    tables = [
        true_values(
            *(row, anatomy_of(truths[row.subject, row.visit]), mixed, names),
            *(params.ages, params.groups),
        )
        for row in visits.itertuples()
    ]
    write_tsv(snakemake.output[0], pd.concat(tables, ignore_index=True))
