"""Train an SVM for every fold on harmonised features and diagnose the fold's own people.

As diagnose.py, but ComBat takes the scanners' shift and spread off the regional means before. It is
fitted on the training people, and for a scanner that they do not know on its own held-out people,
without their diagnosis.
"""

from mri2pet.diagnosis.experiments import experiments
from mri2pet.diagnosis.harmonise import Harmonisation, harmonise
from mri2pet.diagnosis.svm import Settings, diagnose
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    params, output, given = snakemake.params, snakemake.output, dict(snakemake.input.items())
    settings = Settings(**params.settings)
    scanners = read_tsv(given.pop("scanners"), dtype=str)
    for fold, experiment in experiments(
        **given,
        count=len(output),
        dataset=snakemake.wildcards.dataset,
        method=snakemake.wildcards.method,
        groups=(settings.positive, settings.negative),
    ):
        how = Harmonisation(**params.harmonise)
        alike = harmonise(experiment, scanners, snakemake.wildcards.method, how)
        write_tsv(output[fold], diagnose(alike, settings, fold, params.seed))
