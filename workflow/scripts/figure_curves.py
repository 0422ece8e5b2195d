"""Draw the losses of one model's training, a panel a loss and a line a fold."""

from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.figures import curves_figure, save

with recorded(snakemake):
    params = snakemake.params
    histories = dict(zip(params.folds, map(read_tsv, snakemake.input), strict=True))
    save(curves_figure(histories, params.label, params.note), snakemake.output[0])
