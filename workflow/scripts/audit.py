"""Compare every file of a run with the records of the jobs, and say what does not agree.

From the sidecars: which files were altered, are stale, are missing or have no record. Snakemake is
asked which parameters and inputs would be others today. Prints what was found, writes it to
results/provenance/audit.tsv and ends with exit code 1 if there is anything.
"""

import csv
import sys
from dataclasses import astuple
from pathlib import Path

from mri2pet.files import atomic
from mri2pet.provenance.audit import COLUMNS, audit
from mri2pet.provenance.fingerprint import fingerprint
from mri2pet.provenance.outdated import outdated
from mri2pet.provenance.record import recorded
from mri2pet.provenance.records import read_records

with recorded(snakemake):
    params, root = snakemake.params, Path(snakemake.params.root)

    def mark(script, symbols):
        """Return the fingerprint of a script as it is now."""
        path = root / "workflow/scripts" / script
        return fingerprint(path, root / "src/mri2pet", symbols) if path.is_file() else None

    done = audit(
        read_records(params.records),
        params.results,
        mark,
        lambda: outdated(params.snakemake, root / "Snakefile", params.config),
        threads=snakemake.threads,
        apart=params.apart,
    )
    with atomic(params.table) as partial, partial.open("w", newline="") as handle:
        writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
        writer.writerows([COLUMNS, *map(astuple, done.findings)])
    for found in done.findings:
        print(f"{found.finding:<11} {found.file}: {found.reason}")
    print(
        f"audit: {done.jobs} jobs, {done.files} files, {done.size / 1e6:.0f} MB hashed in "
        f"{done.seconds:.1f} s: {len(done.findings) or 'no'} findings ({params.table})"
    )
    if done.findings:
        sys.exit(1)
