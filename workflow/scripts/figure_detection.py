"""Draw sensitivity over the number of clusters a patient, a line a detector (Figure 4)."""

from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.cluster_figures import detection_figure
from mri2pet.reporting.figures import save

with recorded(snakemake):
    curve, params = read_tsv(snakemake.input.curve), snakemake.params
    save(detection_figure(curve, params.labels, params.note), snakemake.output[0])
