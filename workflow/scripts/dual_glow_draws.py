"""Draw PETs of a fold's held-out visits: mean, standard deviation, intervals, scores.

From the dataset's MRI and PET, the folds and the weights of a generator that can draw. Sigma is
widened by people held out inside the training folds (by likelihood, for draws by CRPS) and to the
width of errors; with enough of them the intervals by a factor. Voxelwise mean and sd: a volume a
test visit, in the order of `synthesise`. `coverage.tsv`: what the intervals hold, by visit, nominal
share and factor (`chosen`: the one in use); `scores.tsv`: a row a visit and score;
`calibration.json`: what was chosen on whom.
"""

import numpy as np
import torch

from mri2pet.datasets.gaps import read_seen
from mri2pet.datasets.selection import synthesis_rows
from mri2pet.evaluation.intervals import enough_people
from mri2pet.evaluation.visit_intervals import VisitIntervals
from mri2pet.files import atomic, read_json, read_tsv, write_json, write_tsv
from mri2pet.models.registry import side_information
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.flow_people import FlowPeople, measure
from mri2pet.synthesis.whole_volume import load_generator
from mri2pet.training.data import seed_from
from mri2pet.training.settings import choose_device

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    torch.set_num_threads(snakemake.threads)
    model, fold = snakemake.wildcards.model, int(snakemake.wildcards.fold)
    kinds = {"subject": str, "visit": str}
    visits, folds = (read_tsv(path, dtype=kinds) for path in (given.visits, given.folds))
    arrays = [np.load(path, mmap_mode="r") for path in (given.mri, given.pet)]
    arrays += [np.load(given.mask).astype(bool), read_seen(given.seen)]
    generator = load_generator(params.generator, given.weights).to(choose_device())
    people = FlowPeople(generator, *arrays, side_information(params.generator), choose_device())
    chosen_on = read_json(given.chosen)
    validation, paired = chosen_on["validation"], visits[visits["kind"] == "paired"]
    held, learnt = (
        paired[paired["subject"].isin(chosen_on[k])] for k in ("validation", "training")
    )
    people.likely = people.spreads(likely := people.temperatures(held), params.temperature)
    temperatures = people.widened(people.eased(likely, held), held, learnt)
    spreads = people.spreads(temperatures, params.temperature)
    tested = synthesis_rows(visits, folds, fold).query("role == 'test'").reset_index(drop=True)
    enough = len(validation) >= enough_people(0.95)
    found = VisitIntervals(fold)
    given_to = (held if enough else held[:0], tested, params.draws, spreads)
    volumes = measure(
        *(people, found, *given_to),
        lambda row: seed_from(params.seed, model, fold, row.subject, row.visit),
    )
    for path, made in zip((output.mean, output.sd), volumes, strict=True):
        with atomic(path) as partial:
            np.save(partial, np.array(made, np.float32))
    held_by_factor, scores = found.tables()
    write_tsv(output.coverage, held_by_factor)
    write_tsv(output.scores, scores)
    factors = {f"{share:g}": factor for share, factor in found.factors().items()}
    chosen = {"people": validation, "temperatures": temperatures, "by_likelihood": likely}
    write_json(output.calibration, chosen | {"factors": factors, "conformal": enough})
