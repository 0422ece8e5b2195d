"""Compare the regional uptake of synthetic PET with the real one, of all methods of a system.

From the regional means of the real scans and of each method's PET of all folds: bias by region,
group, sex and site, and how much of the contrast of the diagnosis is kept, as a table and a figure.
"""

from mri2pet.evaluation.image_tables import pool
from mri2pet.evaluation.regional_bias import bias_table, with_sites
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.figures import save
from mri2pet.reporting.regional_figures import contrast_figure

TEXT = {"subject": str, "visit": str}

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    table = given.get("participants")
    participants = read_tsv(table, dtype=str) if table else None
    pooled = pool(given.synthetic)
    positive, negative = params.groups
    made = bias_table(
        with_sites(read_tsv(given.visits, dtype=TEXT), participants),
        read_tsv(given.real, dtype=TEXT),
        {str(method): own for method, own in pooled.groupby("method", sort=False)},
        positive,
        negative,
        params.told,
    )
    write_tsv(snakemake.output.table, made)
    save(contrast_figure(made, params.labels, params.groups, params.note), snakemake.output.figure)
