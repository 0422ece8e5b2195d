"""Draw regional bias and contrast of every method over the MNI152 template.

From the table of regional bias, and the atlas on the grid of the dataset.
"""

import numpy as np

from mri2pet.files import read_json, read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.brain_views import template_on
from mri2pet.reporting.figures import save
from mri2pet.reporting.regional_maps import Regions, maps_figure

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    affine = np.array(read_json(given.description)["affine"])
    atlas, mask = np.load(given.atlas), np.load(given.mask)
    figure = maps_figure(
        read_tsv(given.table, dtype={"level": str}),
        Regions(atlas, read_tsv(given.names).set_index("index")["name"].to_dict(), affine),
        template_on(given.template, given.brain, affine, mask.shape),
        mask,
        affine,
        params.labels,
        params.groups,
        params.note,
    )
    save(figure, snakemake.output[0])
