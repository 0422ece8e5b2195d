"""Train an SVM for every fold on the other folds' subjects and diagnose the fold's own.

From the regional means of the real scans and, if the method synthesises, of its PET: one table a
fold, one row a test visit with true and predicted group, score and probability.
"""

from mri2pet.diagnosis.experiments import assemble
from mri2pet.diagnosis.svm import Settings, diagnose
from mri2pet.files import read_tsv, write_tsv
from mri2pet.logs import log_to

TEXT = {"subject": str, "visit": str}

with log_to(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    settings = Settings(**params.settings)
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
            groups=(settings.positive, settings.negative),
        )
        write_tsv(output, diagnose(experiment, settings, fold, params.seed))
