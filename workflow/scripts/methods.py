"""Write the methods paragraph of the run, and checklists filled where the run knows the answer.

From the configuration, the cohorts and the excluded scans.
"""

import pandas as pd

from mri2pet import __version__
from mri2pet.files import atomic, read_tsv, write_tsv
from mri2pet.provenance.circumstances import commit
from mri2pet.provenance.record import recorded
from mri2pet.reporting.checklist import answers_of, checklist
from mri2pet.reporting.html import pinned_versions
from mri2pet.reporting.methods import Study, methods_text

PACKAGES = ("torch", "antspyx", "dcm2niix", "deepbet", "scikit-learn", "snakemake", "numpy")

with recorded(snakemake):
    params = snakemake.params
    text = {"subject": str, "visit": str}
    pooled = read_tsv(snakemake.input.excluded, dtype=str)
    studies = []
    tables = zip(snakemake.input.cohorts, snakemake.input.readers, strict=True)
    for name, (path, unread) in zip(params.simulated, tables, strict=True):
        cohort = read_tsv(path, dtype=text)
        visits = set(zip(cohort["subject"], cohort["visit"], strict=True))
        own = [visit in visits for visit in zip(pooled["subject"], pooled["visit"], strict=True)]
        excluded = pd.concat([pooled[own], read_tsv(unread, dtype=str)]).drop_duplicates()
        studies.append(Study(name, params.simulated[name], cohort, excluded))
    versions = {"mri2pet": __version__} | pinned_versions(snakemake.input.lock, PACKAGES)
    told = (params.config, params.systems, studies, versions)
    with atomic(snakemake.output.methods) as partial:
        partial.write_text(methods_text(*told))
    sources = commit(params.root) or {"id": "without git"}
    write_tsv(snakemake.output.checklist, checklist(answers_of(*told, sources["id"])))
