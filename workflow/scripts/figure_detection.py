"""Draw sensitivity over the clusters a patient (Figure 4) and over false clusters a control."""

from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.detection_figures import detection_figure, free_response_figure
from mri2pet.reporting.figures import save

with recorded(snakemake):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    save(detection_figure(read_tsv(given.curve), params.labels, params.note), made.curve)
    save(free_response_figure(read_tsv(given.free), params.labels, params.note), made.free)
