"""Make the bundle of one model: its generators and what they need, without the people behind it.

From the weights of all folds, the dataset, what each generator made of held-out people and how that
was measured, and the sidecars of the training people's MRI. docs/bundles.md says what is in it.
"""

import os

from mri2pet.bundles.make import Made, make_bundle
from mri2pet.bundles.told import told_of_run
from mri2pet.files import folder_beside
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    made = Made(
        visits=given.visits,
        description=given.description,
        mask=given.mask,
        source=given.source,
        weights=given.weights,
        chosen=given.chosen,
        made_visits=given.made_visits,
        made=given.made,
        metrics=given.metrics,
        sidecars=given.sidecars,
        quality=given.quality,
        coverage=given.coverage,
        calibrations=given.calibrations,
        atlas=given.atlas,
        regions=given.regions,
        templates=dict(zip(("t1", "brain_mask"), given.templates, strict=False)),
    )
    run = told_of_run(params.root, given.weights)
    with folder_beside(snakemake.output[0]) as folder:
        make_bundle(folder, made, params.about, run)
        folder.chmod(0o755)
        os.replace(folder, snakemake.output[0])
        folder.mkdir()  # for the end of the block
