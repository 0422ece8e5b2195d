"""Segment the brain in MNI152 into grey matter, white matter and cerebrospinal fluid.

Writes the labels at 2 mm, the probabilities on the 64x64x64 grid, and a picture of the outlines.
"""

import numpy as np

from mri2pet.exclusion import run_stage
from mri2pet.imaging.qcplots import draw
from mri2pet.imaging.resample import resize
from mri2pet.imaging.segment import segment
from mri2pet.imaging.volume import like, load_volume, save_volume, voxel_volume_ml
from mri2pet.provenance.record import recorded

source, made = snakemake.input, snakemake.output


def work():
    brain = load_volume(source.image)
    probabilities, labels, means = segment(brain, load_volume(source.mask))
    for tissue, path in (("GM", made.gm), ("WM", made.wm), ("CSF", made.csf)):
        save_volume(path, resize(like(brain, probabilities[tissue])))
    save_volume(made.labels, like(brain, labels))
    draw(made.picture, brain, "White (red) and grey matter (blue)", [labels == 2, labels == 1])
    volumes = {t: float(p.sum(dtype=np.float64)) for t, p in probabilities.items()}
    return {
        "LabelMap": {"0": "background", "1": "GM", "2": "WM", "3": "CSF"},
        "MeanIntensity": means,
        "VolumeMlInMNI152": {t: round(v * voxel_volume_ml(brain), 1) for t, v in volumes.items()},
    }


with recorded(snakemake):
    run_stage(
        "segment",
        work,
        sidecar=made.sidecar,
        outputs=[made.gm, made.wm, made.csf, made.labels, made.picture],
        sources=[source.image, source.mask],
        upstream=[source.sidecar],
    )
