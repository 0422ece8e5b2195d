"""Pack the preprocessed visits into the arrays that models are trained on.

From the cohort table, the volumes of every visit in one space on the grid of its networks, the
template's brain mask and the atlas: results/datasets/{space}/ (visits.tsv, one .npy a kind of
volume, mask, atlas, dataset.json), and excluded_scans.tsv with every scan that a stage on the way
to this space has left out.
"""

import numpy as np

from mri2pet.datasets.pack import (
    pack_volumes,
    resample_labels,
    select_visits,
    template_mask,
    visit_files,
    visits_table,
)
from mri2pet.files import atomic, read_tsv, write_json, write_tsv
from mri2pet.imaging.volume import load_volume
from mri2pet.provenance.record import recorded

ABOUT = {
    "mri": "skull-stripped T1-weighted MRI, scaled to 0..1 inside the brain",
    "pet": "FDG-PET over its mean in the reference region and a fixed ceiling, 0..1; "
    "zeros where a visit has no PET",
    **dict.fromkeys(("gm", "wm", "csf"), "probability of the tissue, 0..1"),
}

with recorded(snakemake):
    source, output = snakemake.input, snakemake.output
    cohort = read_tsv(source.cohort, dtype=str)
    volumes = {name: text for name, text in ABOUT.items() if output.get(name)}
    files = {name: source[name] for name in (*volumes, "mri_sidecar", "pet_sidecar")}
    visits, later = select_visits(visit_files(cohort, files))
    affine, shape = pack_volumes(visits, {name: output[name] for name in volumes})
    regions = read_tsv(source.regions).set_index("index")["name"].to_dict()
    grids = {
        "mask": template_mask(load_volume(source.mask), affine, shape),
        "atlas": resample_labels(load_volume(source.atlas), affine, shape, regions),
    }
    for name, data in grids.items():
        with atomic(output[name]) as partial:
            np.save(partial, data)
    write_tsv(output.visits, visits_table(visits))
    write_tsv(output.excluded, later)
    write_json(
        output.description,
        {
            **volumes,
            "space": snakemake.params.space,
            "affine": affine,
            "shape": shape,
            "visits": len(visits),
            "mask": "template's brain, a voxel if at least half of it is",
            "atlas": "AAL, label of the largest part of a voxel",
        },
    )
