"""Convert the T1-weighted MRI of one visit from the download (DICOM or NIfTI) to BIDS.

Finds the image by its ID in the participant's raw folder, or takes the file or the member of an
archive that the cohort table names, and writes a de-identified NIfTI and its sidecar under
results/bids/. An image that cannot be used leaves empty files and the reason.
"""

from mri2pet.cohort.nifti import to_bids
from mri2pet.logs import log_to
from mri2pet.stages import run_stage

with log_to(snakemake.log[0]):
    scan, image = snakemake.input.scan, snakemake.output.image
    run_stage(
        "convert_mri",
        lambda: to_bids(scan, snakemake.params.key, "MRI", image),
        sidecar=snakemake.output.sidecar,
        outputs=[image],
        sources=[scan],
    )
