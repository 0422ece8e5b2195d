"""Make the bundle of one detector: encoders, the controls learnt from, and how well it did.

From the dataset, the encoders of all folds, the synthetic PET learnt from, what held-out controls
scored and the table of detection. docs/bundles.md says what is in it.
"""

import os

from mri2pet.bundles.make_detector import MadeDetector, make_detector
from mri2pet.bundles.told import told_of_run
from mri2pet.files import folder_beside
from mri2pet.provenance.record import recorded

NAMES = (
    *("visits", "folds", "pet", "seen", "mask", "atlas", "description", "weights", "scored"),
    *("decisions", "detection", "regions", "synthetic", "synthetic_visits", "sidecars", "quality"),
)

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    templates = dict(zip(("t1", "brain_mask"), given.templates, strict=True))
    made = MadeDetector(**{name: given[name] for name in NAMES}, templates=templates)
    with folder_beside(snakemake.output[0]) as folder:
        make_detector(folder, made, params.about, told_of_run(params.root, given.weights))
        folder.chmod(0o755)
        os.replace(folder, snakemake.output[0])
        folder.mkdir()  # for the end of the block
