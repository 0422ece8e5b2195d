"""Convert the T1-weighted MRI of one visit from the download (DICOM or NIfTI) to BIDS.

Finds the image by its ID in the participant's raw folder and writes a de-identified NIfTI and its
sidecar under results/bids/. An image that cannot be used leaves empty files and the reason.
"""

from mri2pet.cohort.bids import convert_scan
from mri2pet.logs import log_to
from mri2pet.stages import run_stage

with log_to(snakemake.log[0]):
    folder, image = snakemake.input.folder, snakemake.output.image
    run_stage(
        "convert_mri",
        lambda: convert_scan(folder, snakemake.params.image_id, "MRI", image),
        sidecar=snakemake.output.sidecar,
        outputs=[image],
        sources=[folder],
    )
