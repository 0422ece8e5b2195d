"""Gather what a bundle made of all people: a table of them, one of regions, and the group's page.

From the cohort table, the sidecars and region tables of all people: people.tsv (who, with what is
unlike the training), regions.tsv, excluded_scans.tsv (who has no PET, and why), the page, and what
makes the folder a BIDS dataset of derivatives.
"""

from mri2pet.bids_output import derivative_of
from mri2pet.bundles.gathered import gather
from mri2pet.bundles.manifest import read_manifest
from mri2pet.files import read_tsv, write_json, write_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.applied import with_pages, write_group

with recorded(snakemake):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    cohort = read_tsv(given.cohort, dtype=str)
    left_out = read_tsv(given.exclusions, dtype=str)
    people, regions, left_out = gather(cohort, left_out, given.sidecars, given.regions)
    write_tsv(made.people, people)
    write_tsv(made.regions, regions)
    write_tsv(made.excluded, left_out)
    shown, pages = with_pages(people, given.pages, made.page)
    write_group(made.page, shown, left_out, read_manifest(given.bundle, whole=False), pages)
    links = {"cohort": "../bids", "preproc": "../preproc"}
    write_json(made.description, derivative_of(f"Synthetic PET by {params.model}", links))
