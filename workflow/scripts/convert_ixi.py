"""Convert T2 and PD of one person from an IXI download (files or archives' members) to BIDS.

Writes de-identified NIfTI files and their sidecars under results/bids/; the cohort table names the
sources, the sidecars do not. An image that cannot be
used leaves an empty file and the reason.
"""

from mri2pet.conversion.nifti import import_nifti
from mri2pet.exclusion import run_stage
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    for name in ("t2", "pd"):
        source, image = snakemake.input[name], snakemake.output[name]
        run_stage(
            "convert_ixi",
            lambda source=source, name=name, image=image: import_nifti(
                source, snakemake.params[name], image
            ),
            sidecar=snakemake.output[f"{name}_sidecar"],
            outputs=[image],
            sources=[],
            raw=[source],
        )
