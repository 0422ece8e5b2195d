"""Diagnose with uptake in units of other regions, and corrected for partial volume.

From the dataset's and one method's PET and their features: the predictions of an SVM for every fold
and scale, trained as in Table II, and how far the regions of the synthetic PET are from those of
the real one.
"""

import numpy as np
import pandas as pd

from mri2pet.datasets.gaps import read_seen
from mri2pet.diagnosis.scaled_diagnosis import Images, diagnose_on_scale
from mri2pet.diagnosis.scaling import Anatomy
from mri2pet.diagnosis.svm import Settings
from mri2pet.files import read_json, read_tsv, write_tsv
from mri2pet.provenance.record import recorded

TEXT = {"subject": str, "visit": str}


def table(path):
    return read_tsv(path, dtype=TEXT)


with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    anatomy = Anatomy(
        np.load(given.atlas),
        np.load(given.mask),
        np.load(given.gm, mmap_mode="r"),
        np.load(given.wm, mmap_mode="r"),
        np.array(read_json(given.description)["affine"]),
        params.fwhm_mm,
    )
    visits, pet = table(given.visits), np.load(given.pet, mmap_mode="r")
    paired = visits[visits["kind"] == "paired"]
    real = Images(table(given.real), paired, [pet[index] for index in paired["index"]])
    made = [
        Images(table(features), table(rows), np.load(volumes, mmap_mode="r"))
        for features, rows, volumes in zip(
            given.features, given.made_visits, given.made_pet, strict=True
        )
    ]
    tables, settings = (visits, table(given.folds)), Settings(**params.settings)
    how = (snakemake.wildcards.method, tables, real, made, anatomy, settings, params.seed)
    seen = read_seen(given.seen)
    found = [diagnose_on_scale(scale, *how, params.folds, seen) for scale in params.scales]
    for output, parts in zip(snakemake.output, zip(*found, strict=True), strict=True):
        write_tsv(output, pd.concat(parts, ignore_index=True))
