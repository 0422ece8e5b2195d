"""Train an SVM for every fold on regional means of real PET, and test it on the fold's own people.

Two sets of groups are told apart by PET alone. From the regional means of the real PET and, unless
that is what is tested, of one method's PET: one table a fold, one row a test visit with true and
predicted class, score and probability.
"""

from mri2pet.diagnosis.experiments import PAIRED, assemble
from mri2pet.diagnosis.merged import diagnose_merged
from mri2pet.diagnosis.svm import Settings
from mri2pet.files import read_tsv, write_tsv
from mri2pet.logs import log_to

TEXT = {"subject": str, "visit": str}

with log_to(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    positive, negative = params.groups
    visits, folds, real = (
        read_tsv(path, dtype=TEXT) for path in (given.visits, given.folds, given.real)
    )
    for fold, output in enumerate(snakemake.output):
        experiment = assemble(
            dataset=PAIRED,
            method=snakemake.wildcards.method,
            fold=fold,
            visits=visits,
            folds=folds,
            real=real,
            synthetic=read_tsv(given.synthetic[fold], dtype=TEXT) if given.synthetic else None,
            groups=(*positive, *negative),
            with_mri=False,
        )
        settings = Settings(**params.tuning)
        table = diagnose_merged(experiment, positive, negative, settings, fold, params.seed)
        write_tsv(output, table)
