"""Draw Figure 4 of DUAL-GLOW: a box of mean absolute errors a method, over the held-out people."""

from mri2pet.evaluation.image_tables import REFERENCES, pool
from mri2pet.provenance.record import recorded
from mri2pet.reporting.figures import save
from mri2pet.reporting.uncertainty_figures import mae_figure

with recorded(snakemake):
    params = snakemake.params
    values = pool(snakemake.input)
    labels = params.labels | {method: REFERENCES[method] for method in params.untrained}
    save(mae_figure(values, labels, params.groups, params.note), snakemake.output[0])
