"""Draw Figure 6 of DUAL-GLOW: one held-out person's PET at several ages, all else the same.

From the volumes of the first fold's visit whose error is the median.
"""

import numpy as np

from mri2pet.files import read_json
from mri2pet.provenance.record import recorded
from mri2pet.reporting.age_figures import ages_figure
from mri2pet.reporting.brain_views import template_on
from mri2pet.reporting.figures import save

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    person = read_json(given.person)
    title = (
        f"{params.label}: {person['subject']} {person['visit']}, {person['group']}, "
        f"{person['age']:g} years old at the scan, told another age"
    )
    mask, affine = np.load(given.mask), np.array(read_json(given.description)["affine"])
    figure = ages_figure(
        np.load(given.pet),
        person["ages"],
        mask,
        template_on(given.template, given.brain, affine, mask.shape),
        affine,
        title,
        params.note,
        person["trained_ages"],
    )
    save(figure, snakemake.output[0])
