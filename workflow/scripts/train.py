"""Train (or solve) one model without one fold or two, from the dataset's arrays to its weights.

Only visits of the training groups and of subjects outside the folds held out that have source and
target are read; in a study that is split once, the people to train and to validate on. Where people
are held out for validation, the epoch and the width of the smoothing are chosen on them. Beside the
weights: the losses of every epoch as a table and a picture, what was chosen, and all networks where
another model goes on from them. A checkpoint lets a stopped job go on; the end removes it.
"""

from functools import partial
from pathlib import Path

import torch

from mri2pet.datasets.selection import held_out, select_training
from mri2pet.files import read_json, read_tsv, write_json
from mri2pet.models.registry import side_information
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.smoothing import voxel_size
from mri2pet.synthesis.write import affine_of
from mri2pet.training.data import load_pairs
from mri2pet.training.run import finished_generator, learn, save_networks, save_training
from mri2pet.training.validation import choose, validation_of

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    model, fold = snakemake.wildcards.model, held_out(snakemake.wildcards.fold)
    visits = read_tsv(given.visits, dtype={"subject": str})
    folds = read_tsv(given.folds, dtype={"subject": str}) if given.folds else None
    people = params.validation.get("people", 0)
    split = (params.groups, people, params.seed, params.model.get("people", 0))
    rows, held = select_training(visits, folds, fold, *split)
    arrays = ([given.source, *given.further], given.target, given.mask, given.atlas)
    side = side_information(params.model["generator"])
    load = partial(load_pairs, *arrays, crop=params.crop, side=side, seen=given.seen)
    held_pairs = None if held.empty else load(held)
    about = read_json(given.description)
    scale, voxel = about.get("intensity", "uptake"), voxel_size(affine_of(about, 0))
    checkpoint = Path(output.weights).with_name("checkpoint.pt")
    recipe, history = learn(
        *(params.model, load, rows, voxel),
        name=model,
        fold=fold,
        seed=params.seed,
        checkpoint=checkpoint,
        threads=snakemake.threads,
        validation=validation_of(held_pairs, params.model, params.validation, scale),
        start=torch.load(given.start, weights_only=True) if given.start else None,
        # of the configuration, no parameter: another value is no reason to train again
        checkpoint_minutes=snakemake.config.get("checkpoint_minutes", 0),
    )
    generator = finished_generator(recipe)
    chosen = choose(generator, history, held_pairs, params.model, params.validation, voxel, scale)
    people = {"training": rows["subject"].unique(), "validation": held["subject"].unique()}
    write_json(output.chosen, chosen | people)
    title = model if folds is None else f"{model}, fold {snakemake.wildcards.fold}"
    save_training(generator, history, title, output.weights, output.history, output.curve)
    for path in output.get("networks", []):
        save_networks(recipe, path)
    checkpoint.unlink(missing_ok=True)
