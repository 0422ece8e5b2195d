"""Take in PET that others have made of the run's people, as a method's synthesis of every fold.

From a folder of NIfTI files or an archive of numpy, the dataset's visits, grid and folds: the same
files as a trained model's synthesis has. What does not fit is refused.
"""

import numpy as np

from mri2pet.datasets.selection import synthesis_rows
from mri2pet.files import read_json, read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.handed_in import Grid, read_submission, volumes_of, with_folds
from mri2pet.synthesis.write import affine_of, write_synthesis

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    text = {"subject": str, "visit": str}
    visits, folds = (read_tsv(path, dtype=text) for path in (given.visits, given.folds))
    affine = affine_of(read_json(given.description), 0)
    grid = Grid(np.load(given.mask).astype(bool), affine)
    found = read_submission(params.submission, with_folds(visits, folds), grid)
    for fold, array in enumerate(output.made):
        rows = synthesis_rows(visits, folds, fold)
        write_synthesis(
            volumes_of(found, rows, fold),
            rows,
            model=params.method,
            description=given.description,
            sources=list(given.given),
            array=array,
            table=output.visits[fold],
            nifti=output.nifti[fold],
            space=params.space,
            tracer=params.tracer,
        )
