"""Train one model for one fold, from the dataset's arrays to the generator's weights.

Only paired visits of the training groups and of subjects outside the fold are read. Where people
are held out for validation, they are of those too: the epoch and the width of the smoothing are
chosen on them. Beside the weights it writes the losses of every epoch as a table and a picture, and
what was chosen. A checkpoint in the same folder, written after every epoch, lets a stopped job go
on where it was; it is removed at the end.
"""

from pathlib import Path

from mri2pet.datasets.selection import split_validation, training_rows
from mri2pet.files import read_json, read_tsv, write_json
from mri2pet.models.registry import side_information
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.smoothing import voxel_size
from mri2pet.training.data import load_pairs
from mri2pet.training.run import save_training, train_model
from mri2pet.training.validation import choose, validation_of

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    model, fold = snakemake.wildcards.model, int(snakemake.wildcards.fold)
    visits, folds = (read_tsv(path, dtype={"subject": str}) for path in (given.visits, given.folds))
    rows = training_rows(visits, folds, fold, params.groups)
    rows, held = split_validation(rows, params.validation.get("people", 0), params.seed)
    arrays = (given.mri, given.pet, given.mask, given.atlas)
    side = side_information(params.model["generator"])
    held_pairs = None if held.empty else load_pairs(*arrays, held, params.crop, side)
    checkpoint = Path(output.weights).with_name("checkpoint.pt")
    generator, history = train_model(
        params.model,
        load_pairs(*arrays, rows, params.crop, side),
        name=model,
        fold=fold,
        seed=params.seed,
        checkpoint=checkpoint,
        threads=snakemake.threads,
        validation=validation_of(held_pairs, params.model, params.validation),
    )
    voxel = voxel_size(read_json(given.description)["affine"])
    chosen = choose(generator, history, held_pairs, params.model, params.validation, voxel)
    people = {"training": rows["subject"].unique(), "validation": held["subject"].unique()}
    write_json(output.chosen, chosen | people)
    title = f"{model}, fold {fold}"
    save_training(generator, history, title, output.weights, output.history, output.curve)
    checkpoint.unlink(missing_ok=True)
