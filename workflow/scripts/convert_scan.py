"""Convert the T1-weighted MRI or the PET of one visit from the download to BIDS.

Finds the image (DICOM, NIfTI or ECAT 7) by its ID in the raw folder, or takes the file or the
member of an archive that the cohort table names, and writes a de-identified NIfTI and its sidecar
under results/bids/; the cohort table names the source, the sidecar does not. An image that cannot
be used leaves empty files and the reason.
"""

from pathlib import Path

from mri2pet.cohorts.adni.locate import image_files
from mri2pet.conversion.nifti import to_bids
from mri2pet.exclusion import run_stage
from mri2pet.provenance.record import recorded

with recorded(snakemake) as record:
    scan, image, params = snakemake.input.scan, snakemake.output.image, snakemake.params
    of_pet = {key: params.get(key) for key in ("tracer", "window", "protocol")}
    if Path(scan).is_dir():
        record.reads(scan, image_files(scan, params.key))
    run_stage(
        f"convert_{params.modality.lower()}",
        lambda: to_bids(scan, params.key, params.modality, image, **of_pet),
        sidecar=snakemake.output.sidecar,
        outputs=[image],
        sources=[],
        raw=[scan],
    )
