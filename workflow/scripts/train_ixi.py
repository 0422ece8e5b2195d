"""Train one model from one contrast to the other on patches, validated on whole volumes.

Only the people to train and to validate on are read. After every epoch MAE and PSNR of the
validation volumes are measured, and the epoch of the best PSNR is kept: the generator alone, and
all networks for a model that goes on from this one. A checkpoint in the same folder lets a stopped
job go on where it was; it is removed at the end.
"""

from functools import partial
from pathlib import Path

import torch

from mri2pet.datasets.ixi_pack import read_split
from mri2pet.files import atomic, read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.training.loop import Validation
from mri2pet.training.patch_batches import PatchBatches, WholeVolumes, patch_pairs
from mri2pet.training.run import save_training, train_recipe

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    entry, patches, model = params.model, params.patches, snakemake.wildcards.model
    visits = read_tsv(given.visits, dtype={"subject": str, "visit": str})
    arrays = given[entry["source"]], given[entry["target"]]
    size, batch = patches["size"], patches["batch"]
    held = read_split(arrays, visits, "val")
    checkpoint = Path(output.networks).with_name("checkpoint.pt")
    recipe, history = train_recipe(
        entry,
        patch_pairs(*read_split(arrays, visits, "train"), size),
        name=model,
        fold=0,
        seed=params.seed,
        checkpoint=checkpoint,
        threads=snakemake.threads,
        validation=Validation(
            WholeVolumes(*held, size, patches["validation_stride"], batch),
            "validation_psnr",
            patience=params.validation["patience"],
        ),
        make_batches=partial(PatchBatches, size=size),
        start=torch.load(given.start, weights_only=True) if given.start else None,
    )
    save_training(recipe.generator, history, model, output.weights, output.history, output.curve)
    with atomic(output.networks) as whole:
        torch.save(recipe.state_dict(), whole)
    checkpoint.unlink(missing_ok=True)
