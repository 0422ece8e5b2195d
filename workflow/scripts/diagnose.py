"""Train an SVM for every fold on the other folds' subjects and diagnose the fold's own.

From the regional means of the real scans and, if the method synthesises, of its PET: one table a
fold, one row a test visit with true and predicted group, score and probability.
"""

from mri2pet.diagnosis.experiments import experiments
from mri2pet.diagnosis.svm import Settings, diagnose
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    params, output = snakemake.params, snakemake.output
    settings = Settings(**params.settings)
    for fold, experiment in experiments(
        **dict(snakemake.input.items()),
        count=len(output),
        dataset=snakemake.wildcards.dataset,
        method=snakemake.wildcards.method,
        groups=(settings.positive, settings.negative),
    ):
        write_tsv(output[fold], diagnose(experiment, settings, fold, params.seed))
