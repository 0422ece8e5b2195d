"""Train an SVM for every fold on regional means of real PET, and test it on the fold's own people.

Two sets of groups are told apart by PET alone. From the regional means of the real PET and, unless
that is what is tested, of one method's PET: one table a fold, one row a test visit with true and
predicted class, score and probability.
"""

from mri2pet.diagnosis.dual_glow_groups import diagnose_merged
from mri2pet.diagnosis.experiments import PAIRED, experiments
from mri2pet.diagnosis.svm import Settings
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    params, output = snakemake.params, snakemake.output
    positive, negative = params.groups
    settings = Settings(**params.tuning)
    for fold, experiment in experiments(
        **dict(snakemake.input.items()),
        count=len(output),
        dataset=PAIRED,
        method=snakemake.wildcards.method,
        groups=(*positive, *negative),
        with_mri=False,
    ):
        table = diagnose_merged(experiment, positive, negative, settings, fold, params.seed)
        write_tsv(output[fold], table)
