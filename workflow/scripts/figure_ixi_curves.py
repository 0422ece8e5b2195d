"""Draw MAE and PSNR on the validation people over the epochs, all models of one direction."""

from mri2pet.evaluation.contrast_tables import by_direction
from mri2pet.evaluation.tissues import COPY, direction
from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.contrast_figures import validation_figure
from mri2pet.reporting.figures import save

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    where = direction(*snakemake.wildcards.direction.split("_"))
    values = by_direction(given.metrics, params.directions)
    copied = values[(values["method"] == COPY) & (values["dataset"] == f"{where} validation")]
    histories = dict(zip(params.labels, map(read_tsv, given.histories), strict=True))
    figure = validation_figure(
        histories,
        copied.groupby("metric")["value"].mean().to_dict(),
        f"{where.replace('-', ' to ')}: validation",
        params.note,
    )
    save(figure, snakemake.output[0])
