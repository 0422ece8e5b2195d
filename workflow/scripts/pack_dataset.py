"""Pack the preprocessed visits into the arrays that models are trained on.

From a study's cohort table and the volumes of every visit in one space (those that the rule names
in `arrays`, on the grid of the networks): results/datasets/{space}/ (visits.tsv, one .npy a kind of
volume, mask, dataset.json), and excluded_scans.tsv with every scan that a stage on the way to this
space has left out. The mask is the template's brain, and beside it lies the atlas; in a space
without a template it is the whole grid. Where a study is split once, each part must have people.
"""

import numpy as np

from mri2pet.datasets.further_controls import held_back, with_roles
from mri2pet.datasets.grids import resample_labels, template_mask
from mri2pet.datasets.pack import (
    check_split,
    pack_volumes,
    select_visits,
    visit_files,
    visits_table,
    with_controls,
    with_lesions_found,
    with_split,
)
from mri2pet.files import atomic, read_tsv, write_json, write_tsv
from mri2pet.imaging.volume import load_volume
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    source, output, params = snakemake.input, snakemake.output, snakemake.params
    cohort, template = read_tsv(source.cohort, dtype=str), source.get("mask")
    if source.get("ixi"):
        cohort = with_controls(cohort, read_tsv(source.ixi, dtype=str), params.ixi_controls)
    cohort = with_split(cohort) if "split" in params.columns else cohort
    names = (*params.arrays, "mri_sidecar", "pet_sidecar")
    files = {name: source[name] for name in names if source.get(name) is not None}
    visits, later = select_visits(with_lesions_found(visit_files(cohort, files)))
    table = visits_table(visits, params.columns)
    if further := params.get("further_controls"):
        table = with_roles(table, held_back(cohort.to_dict("records"), **further))
    if "split" in table:
        check_split(table, later)
    arrays = {name: output[name] for name in params.arrays}
    affine, shape = pack_volumes(visits, arrays, one_grid=bool(template))
    grids = {"mask": np.ones(shape, bool)}
    if template:
        grids["mask"] = template_mask(load_volume(template), affine, shape)
        regions = read_tsv(source.regions).set_index("index")["name"].to_dict()
        atlas, complete = load_volume(source.atlas), params.whole_atlas
        grids["atlas"] = resample_labels(atlas, affine, shape, regions, complete)
    for name, data in grids.items():
        with atomic(output[name]) as partial:
            np.save(partial, data)
    write_tsv(output.visits, table)
    write_tsv(output.excluded, later)
    grid = {"affine" if template else "affines": affine, "shape": shape, "visits": len(visits)}
    write_json(output.description, {**params.arrays, **params.about, **grid})
