"""Gather what a detector's bundle found in all people: tables of people and clusters, and a page.

From the cohort table, the sidecars and tables of clusters of all people with a PET: people.tsv,
clusters.tsv, excluded_scans.tsv (who was not judged, and why), the group's page, and what makes
the folder a BIDS dataset of derivatives.
"""

import pandas as pd

from mri2pet.bids_output import derivative_of
from mri2pet.bundles.gathered import JUDGED, gather
from mri2pet.bundles.manifest import read_manifest
from mri2pet.files import read_tsv, write_json, write_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.applied import with_pages, write_group

with recorded(snakemake):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    cohort = read_tsv(given.cohort, dtype=str)
    paired = cohort["kind"] == "paired"
    told = read_tsv(given.exclusions, dtype=str)
    alone = cohort.loc[~paired, ["subject", "visit"]]
    alone = alone.assign(
        modality="PET", stage="judge_person", reason="no PET of the bundle's tracer"
    )
    told = pd.concat([told, alone.reindex(columns=told.columns)], ignore_index=True)
    people, clusters, left_out = gather(cohort[paired], told, given.sidecars, given.tables, JUDGED)
    write_tsv(made.people, people)
    write_tsv(made.clusters, clusters)
    write_tsv(made.excluded, left_out)
    shown, pages = with_pages(people, given.pages, made.page)
    about = read_manifest(given.bundle, whole=False)
    write_group(made.page, shown, left_out, about, pages, judged=True)
    links = {"cohort": "../bids", "preproc": "../preproc"}
    write_json(made.description, derivative_of(f"Anomalies in PET by {params.model}", links))
