"""Pack the preprocessed visits into the arrays that models are trained on.

From the cohort table, the 64^3 volumes of every visit, the template's brain mask and the atlas:
results/datasets/linear/ (visits.tsv, one .npy a kind of volume, mask, atlas, dataset.json), and
results/cohort/excluded_scans.tsv with every scan that any stage has left out.
"""

import numpy as np

from mri2pet.dataset import (
    pack_volumes,
    pool_exclusions,
    resample_labels,
    select_visits,
    template_mask,
    visit_files,
    visits_table,
)
from mri2pet.files import atomic, read_tsv, write_json, write_tsv
from mri2pet.imaging.volume import load_volume
from mri2pet.logs import log_to

VOLUMES = ("mri", "pet", "gm", "wm", "csf")

with log_to(snakemake.log[0]):
    source, output = snakemake.input, snakemake.output
    cohort = read_tsv(source.cohort, dtype=str)
    files = {name: source[name] for name in (*VOLUMES, "mri_sidecar", "pet_sidecar")}
    visits, later = select_visits(visit_files(cohort, files))
    affine, shape = pack_volumes(visits, {name: output[name] for name in VOLUMES})
    regions = read_tsv(source.regions).set_index("index")["name"].to_dict()
    grids = {
        "mask": template_mask(load_volume(source.mask), affine, shape),
        "atlas": resample_labels(load_volume(source.atlas), affine, shape, regions),
    }
    for name, data in grids.items():
        with atomic(output[name]) as partial:
            np.save(partial, data)
    write_tsv(output.visits, visits_table(visits))
    write_tsv(output.excluded, pool_exclusions(read_tsv(source.exclusions, dtype=str), later))
    write_json(
        output.description,
        {
            "affine": affine,
            "shape": shape,
            "visits": len(visits),
            "mri": "skull-stripped T1-weighted MRI, scaled to 0..1 inside the brain",
            "pet": "FDG-PET over its mean in the reference region and a fixed ceiling, 0..1; "
            "zeros where a visit has no PET",
            "gm, wm, csf": "tissue probabilities, 0..1",
            "mask": "template's brain, a voxel if at least half of it is",
            "atlas": "AAL, label of the largest part of a voxel",
        },
    )
