"""Train one model for one fold, from the dataset's arrays to the generator's weights.

Only paired visits of the training groups and of subjects outside the fold are read. Beside the
weights it writes the losses of every epoch as a table and a picture. A checkpoint in the same
folder, written after every epoch, lets a stopped job go on where it was; it is removed at the end.
"""

from pathlib import Path

from mri2pet.files import read_tsv
from mri2pet.models.registry import side_information
from mri2pet.provenance.record import recorded
from mri2pet.training.data import load_pairs
from mri2pet.training.rows import training_rows
from mri2pet.training.run import save_training, train_model

with recorded(snakemake):
    given, output = snakemake.input, snakemake.output
    model, fold = snakemake.wildcards.model, int(snakemake.wildcards.fold)
    visits, folds = (read_tsv(path, dtype={"subject": str}) for path in (given.visits, given.folds))
    rows = training_rows(visits, folds, fold, snakemake.params.groups)
    arrays = (given.mri, given.pet, given.mask, given.atlas)
    side = side_information(snakemake.params.model["generator"])
    checkpoint = Path(output.weights).with_name("checkpoint.pt")
    generator, history = train_model(
        snakemake.params.model,
        load_pairs(*arrays, rows, snakemake.params.crop, side),
        name=model,
        fold=fold,
        seed=snakemake.params.seed,
        checkpoint=checkpoint,
        threads=snakemake.threads,
    )
    title = f"{model}, fold {fold}"
    save_training(generator, history, title, output.weights, output.history, output.curve)
    checkpoint.unlink(missing_ok=True)
