"""Train the siamese autoencoder of one detector, once for each fold of the controls.

From the PET of the controls outside the fold, and the synthetic PET of controls with an MRI alone
where the detector learns from such: the encoder, its history and curve under
results/gan_anomaly/detector/{detector}/fold-{k}/.
"""

from pathlib import Path

import numpy as np

from mri2pet.anomaly.encoder import train_encoder
from mri2pet.anomaly.training_sets import TEXT, fold_people, split_folds, training_volumes
from mri2pet.datasets.gaps import read_seen
from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.training.run import save_training

with recorded(snakemake):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    detector = snakemake.wildcards.detector
    visits, folds = (read_tsv(path, dtype=TEXT) for path in (given.visits, given.folds))
    folds = split_folds(folds, params.splits)
    pet, mask = np.load(given.pet, mmap_mode="r"), np.load(given.mask)
    seen = read_seen(given.seen)
    for fold, weights in enumerate(made.weights):
        rows = fold_people(visits, folds, fold).training
        checkpoint = Path(weights).with_name("checkpoint.pt")
        files = given.synthetic, given.synthetic_visits
        added = {"visits": visits, "mask": mask, **params.added}
        network, history = train_encoder(
            params.encoder,
            training_volumes(pet, rows, *files, fold, seen, **added),
            mask,
            detector,
            fold,
            params.seed,
            checkpoint=checkpoint,
            threads=snakemake.threads,
        )
        title = f"Encoder of {detector}, fold {fold}"
        save_training(network, history, title, weights, made.history[fold], made.curve[fold])
        checkpoint.unlink(missing_ok=True)
