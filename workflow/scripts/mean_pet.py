"""Predict every visit's PET by the mean PET of the training folds: the row to beat in all tables.

From the dataset's PET array and the folds: the same files as a trained model's synthesis. The mean
is taken over the visits that a generator is trained on which holds out the same fold, or two.
"""

import numpy as np

from mri2pet.datasets.gaps import read_seen
from mri2pet.datasets.selection import held_out, synthesis_rows, training_rows
from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.mean_pet import mean_volume
from mri2pet.synthesis.write import write_synthesis

with recorded(snakemake):
    given, output = snakemake.input, snakemake.output
    visits, folds = (read_tsv(path, dtype={"subject": str}) for path in (given.visits, given.folds))
    fold = held_out(snakemake.wildcards.fold)
    rows = synthesis_rows(visits, folds, fold)
    training = training_rows(visits, folds, fold, snakemake.params.groups)["index"].to_numpy()
    seen = read_seen(given.seen, training)
    mean = mean_volume(np.load(given.pet, mmap_mode="r"), training, seen) * np.load(given.mask)
    write_synthesis(
        np.broadcast_to(mean, (len(rows), *mean.shape)),
        rows,
        model="mean_pet",
        description=given.description,
        sources=[given.pet],
        array=output.made,
        table=output.visits,
        nifti=output.nifti,
        space=snakemake.params.space,
        tracer=snakemake.params.tracer,
    )
