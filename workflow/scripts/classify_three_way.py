"""Train an SVM of three groups for every fold on the other folds' subjects, and test the fold's.

From the regional means of the real scans and, if the method synthesises, of its PET: one table a
fold, one row a test visit with true and predicted group and a score a group.
"""

from mri2pet.diagnosis.experiments import experiments
from mri2pet.diagnosis.multiclass import classify
from mri2pet.diagnosis.svm import Tuning
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    params, output = snakemake.params, snakemake.output
    tuning = Tuning(**params.tuning)
    for fold, experiment in experiments(
        **dict(snakemake.input.items()),
        count=len(output),
        dataset=snakemake.wildcards.dataset,
        method=snakemake.wildcards.method,
        groups=params.groups,
    ):
        write_tsv(output[fold], classify(experiment, params.groups, tuning, fold, params.seed))
