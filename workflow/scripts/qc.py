"""Judge a visit's MRI by numbers; outside the limits of config preproc.qc it is excluded."""

from nibabel.affines import voxel_sizes

from mri2pet.exclusion import run_stage
from mri2pet.files import read_json
from mri2pet.imaging.qc import mri_measures, verdict
from mri2pet.imaging.resample import res2_grid
from mri2pet.imaging.volume import array, load_volume
from mri2pet.provenance.record import recorded

source, made, params = snakemake.input, snakemake.output, snakemake.params


def work():
    template, brain = (res2_grid(load_volume(p)) for p in (source.template, source.brain))
    measures = {"brain_ml": read_json(source.mask_sidecar)["BrainVolumeMl"]} | mri_measures(
        array(load_volume(source.image)),
        array(load_volume(source.mask)) > 0,
        array(template),
        array(brain) > 0,
        voxel_sizes(brain.affine),
    )
    verdict(measures, params.limits)
    return {"Measures": measures, "Limits": params.limits, "Verdict": "accepted"}


with recorded(snakemake):
    run_stage(
        "qc",
        work,
        sidecar=made.sidecar,
        outputs=[],
        sources=[source.image, source.mask],
        upstream=[source.sidecar],
    )
