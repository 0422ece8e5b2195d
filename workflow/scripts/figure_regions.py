"""Draw Figure 7 of DUAL-GLOW: regional means over age by diagnosis, with their 95% bands."""

from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.age_figures import regions_figure
from mri2pet.reporting.figures import save

with recorded(snakemake):
    params = snakemake.params
    values = read_tsv(snakemake.input[0], dtype={"subject": str, "visit": str})
    figure = regions_figure(values, params.regions, params.groups, params.label, params.note)
    save(figure, snakemake.output[0])
