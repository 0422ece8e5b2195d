"""Gather the best PET that each simulated visit's MRI can tell: the row that no method can pass.

From the volumes that oracle_pet.py has made of every visit, the dataset's visits and the folds: the
same files as a trained model's synthesis, of every fold.
"""

import numpy as np

from mri2pet.datasets.selection import synthesis_rows
from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.oracle import read_best
from mri2pet.synthesis.write import write_synthesis

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    text = {"subject": str, "visit": str}
    visits, folds = (read_tsv(path, dtype=text) for path in (given.visits, given.folds))
    mask = np.load(given.mask)
    for fold, array in enumerate(output.made):
        rows = synthesis_rows(visits, folds, fold)
        made, rows, sources = read_best(given.pet, rows, mask)
        write_synthesis(
            made,
            rows,
            model="oracle",
            description=given.description,
            sources=sources,
            array=array,
            table=output.visits[fold],
            nifti=output.nifti[fold],
            space=params.space,
            tracer=params.tracer,
        )
