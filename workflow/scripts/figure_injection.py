"""Draw how often injected lesions are found over depth: a panel a lesion, a line a detector."""

from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.figures import save
from mri2pet.reporting.injection_figures import injection_figure

with recorded(snakemake):
    params = snakemake.params
    table = read_tsv(snakemake.input.table)
    save(injection_figure(table, params.labels, params.lesions, params.note), snakemake.output[0])
