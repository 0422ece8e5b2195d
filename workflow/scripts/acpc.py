"""Put a raw T1 into AC-PC space by changing its affine only.

Finds the commissures and the mid-sagittal plane through registration of the head to the template;
writes the T1 with its new affine, the rigid transform, the affine from AC-PC space to MNI152 on
whose way they were found (where the registration of the brain starts), and a picture cut at AC.
"""

import numpy as np

from mri2pet.exclusion import run_stage
from mri2pet.imaging import acpc
from mri2pet.imaging.qcplots import draw
from mri2pet.imaging.volume import load_scan, load_volume, save_transform, save_volume
from mri2pet.provenance.record import recorded

source, made = snakemake.input, snakemake.output


def work():
    image = load_scan(source.t1w)
    marks = acpc.find_landmarks(image, load_volume(source.template), load_volume(source.brain))
    matrix = acpc.acpc_transform(marks)
    aligned = acpc.apply_acpc(image, matrix)
    save_volume(made.image, aligned)
    save_transform(made.transform, matrix)
    save_transform(made.initial, marks.affine @ np.linalg.inv(matrix))
    view = acpc.straight_view(aligned)
    draw(made.picture, view, "AC-PC space, cut at the anterior commissure", at=np.zeros(3))
    return {
        "CoordinateSystem": "AC-PC: origin AC, +y from PC to AC, x = 0 mid-sagittal, RAS, mm",
        "NativeLandmarks": {"AC": marks.ac, "PC": marks.pc, "MidsagittalNormal": marks.normal},
        "ACPCLength": acpc.ac_pc_length(marks),
    }


with recorded(snakemake):
    run_stage(
        "acpc",
        work,
        sidecar=made.sidecar,
        outputs=[made.image, made.transform, made.initial, made.picture],
        sources=[source.t1w],
        upstream=[source.sidecar],
    )
