"""Draw one ablation as the paper's Figures 8 and 9: bars by classification metric and variant."""

from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.captions import ABLATIONS
from mri2pet.reporting.comparisons import ablation_figure
from mri2pet.reporting.figures import save

with recorded(snakemake):
    params = snakemake.params
    title = ABLATIONS[snakemake.wildcards.figure][0]
    figure = ablation_figure(read_tsv(snakemake.input[0]), params.labels, title, params.note)
    save(figure, snakemake.output[0])
