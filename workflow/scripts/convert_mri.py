"""Convert the T1-weighted MRI of one visit from the download (DICOM or NIfTI) to BIDS.

Finds the image by its ID in the participant's raw folder, or takes the file or the member of an
archive that the cohort table names, and writes a de-identified NIfTI and its sidecar under
results/bids/. An image that cannot be used leaves empty files and the reason.
"""

from pathlib import Path

from mri2pet.cohort.locate import image_files
from mri2pet.cohort.nifti import to_bids
from mri2pet.provenance.record import recorded
from mri2pet.stages import run_stage

with recorded(snakemake) as record:
    scan, image = snakemake.input.scan, snakemake.output.image
    if Path(scan).is_dir():
        record.reads(scan, image_files(scan, snakemake.params.key))
    run_stage(
        "convert_mri",
        lambda: to_bids(scan, snakemake.params.key, "MRI", image),
        sidecar=snakemake.output.sidecar,
        outputs=[image],
        sources=[scan],
    )
