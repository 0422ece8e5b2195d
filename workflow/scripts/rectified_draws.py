"""Draw PETs of a fold's held-out visits from a rectified flow: intervals and scores.

From the dataset's MRI and PET, the folds and the weights. Draws are widened by the temperature that
people held out inside the training folds ask for, and with enough of them the intervals by a
factor. The same two tables as a flow's draws have (`dual_glow_draws`), and what was chosen on whom.
"""

import numpy as np
import torch

from mri2pet.datasets.gaps import read_seen
from mri2pet.datasets.selection import synthesis_rows
from mri2pet.evaluation.intervals import enough_people
from mri2pet.evaluation.visit_intervals import VisitIntervals
from mri2pet.files import read_json, read_tsv, write_json, write_tsv
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.flow_people import measure
from mri2pet.synthesis.rectified_people import RectifiedPeople
from mri2pet.synthesis.whole_volume import load_generator
from mri2pet.training.data import seed_from
from mri2pet.training.settings import choose_device

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    torch.set_num_threads(snakemake.threads)
    model, fold = snakemake.wildcards.model, int(snakemake.wildcards.fold)
    kinds = {"subject": str, "visit": str}
    visits, folds = (read_tsv(path, dtype=kinds) for path in (given.visits, given.folds))
    arrays = [np.load(path, mmap_mode="r") for path in (given.source, given.pet)]
    arrays += [np.load(given.mask).astype(bool), read_seen(given.seen)]
    generator = load_generator(params.generator, given.weights).to(choose_device())
    people = RectifiedPeople(generator, *arrays, None, choose_device(), params.crop)
    validation = read_json(given.chosen)["validation"]
    held = visits[visits["subject"].isin(validation) & (visits["kind"] == "paired")]
    temperatures = people.temperatures(held)
    tested = synthesis_rows(visits, folds, fold).query("role == 'test'").reset_index(drop=True)
    enough = len(validation) >= enough_people(0.95)
    found = VisitIntervals(fold)
    measure(
        *(people, found, held if enough else held[:0], tested, params.settings["draws"]),
        people.spreads(temperatures, params.settings["temperature"]),
        lambda row: seed_from(params.seed, model, fold, row.subject, row.visit),
    )
    for path, table in zip((output.coverage, output.scores), found.tables(), strict=True):
        write_tsv(path, table)
    factors = {f"{share:g}": factor for share, factor in found.factors().items()}
    chosen = {"people": validation, "temperatures": temperatures, "factors": factors}
    write_json(output.calibration, chosen | {"conformal": enough})
