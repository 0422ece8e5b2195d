"""Pack the visits of the anomaly study into the arrays that its models are trained on.

From the study's cohort table (and, where config gan_anomaly.ixi_controls asks for them, people of
the IXI study with an MRI alone), the volumes and lesions of every visit on the study's grid, the
template's brain mask and the atlas: results/datasets/anomaly/, and excluded_scans.tsv. The column
`role` tells controls from patients; lesion.npy is zero where no lesion is known.
"""

import numpy as np
import pandas as pd

from mri2pet.datasets.pack import (
    pack_volumes,
    resample_labels,
    select_visits,
    template_mask,
    visit_files,
    visits_table,
    with_lesions_found,
)
from mri2pet.files import atomic, read_tsv, write_json, write_tsv
from mri2pet.imaging.volume import load_volume
from mri2pet.provenance.record import recorded

ABOUT = {
    "mri": "skull-stripped T1-weighted MRI, scaled to 0..1 inside the brain",
    "pet": "FDG-PET over a high percentile of its own inside the brain, 0..1; zeros without a PET",
    "lesion": "1 inside a patient's lesion; zeros where none is known",
}

with recorded(snakemake):
    source, output = snakemake.input, snakemake.output
    cohort = read_tsv(source.cohort, dtype=str)
    if source.ixi:
        ixi = read_tsv(source.ixi, dtype=str).set_index(["subject", "visit"], drop=False)
        alone = {"group": "control", "role": "control", "kind": "mri_only"}
        chosen = ixi.loc[[tuple(key) for key in snakemake.params.ixi_controls]].assign(**alone)
        chosen = chosen.reindex(columns=cohort.columns)
        cohort = pd.concat([cohort, chosen], ignore_index=True)
    files = {name: source[name] for name in (*ABOUT, "mri_sidecar", "pet_sidecar")}
    visits, later = select_visits(with_lesions_found(visit_files(cohort, files)))
    affine, shape = pack_volumes(visits, {name: output[name] for name in ABOUT})
    regions = read_tsv(source.regions).set_index("index")["name"].to_dict()
    atlas = resample_labels(load_volume(source.atlas), affine, shape, regions, complete=False)
    mask = template_mask(load_volume(source.mask), affine, shape)
    for name, data in {"mask": mask, "atlas": atlas}.items():
        with atomic(output[name]) as partial:
            np.save(partial, data)
    write_tsv(output.visits, visits_table(visits))
    write_tsv(output.excluded, later)
    about = {
        **ABOUT,
        "space": snakemake.params.space,
        "affine": affine,
        "shape": shape,
        "visits": len(visits),
        "mask": "template's brain, a voxel if at least half of it is",
        "atlas": "AAL, label of the largest part of a voxel",
    }
    write_json(output.description, about)
