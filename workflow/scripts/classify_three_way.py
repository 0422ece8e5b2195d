"""Train an SVM of three groups for every fold on the other folds' subjects, and test the fold's.

From the regional means of the real scans and, if the method synthesises, of its PET: one table a
fold, one row a test visit with true and predicted group and a score a group.
"""

from mri2pet.diagnosis.experiments import assemble
from mri2pet.diagnosis.several import classify
from mri2pet.diagnosis.svm import Tuning
from mri2pet.files import read_tsv, write_tsv
from mri2pet.logs import log_to

TEXT = {"subject": str, "visit": str}

with log_to(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    visits, folds, real = (
        read_tsv(path, dtype=TEXT) for path in (given.visits, given.folds, given.real)
    )
    for fold, output in enumerate(snakemake.output):
        experiment = assemble(
            dataset=snakemake.wildcards.dataset,
            method=snakemake.wildcards.method,
            fold=fold,
            visits=visits,
            folds=folds,
            real=real,
            synthetic=read_tsv(given.synthetic[fold], dtype=TEXT) if given.synthetic else None,
            groups=params.groups,
        )
        tuning = Tuning(**params.tuning)
        write_tsv(output, classify(experiment, params.groups, tuning, fold, params.seed))
