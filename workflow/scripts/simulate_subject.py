"""Simulate one person: DICOM series as in an ADNI download, and the truth about them apart.

Deforms the template anatomy into the person's head and scans it at every
visit. Writes results/simulated/ADNI/{ptid}/ and results/simulated/truth/{ptid}/, each whole.
"""

from pathlib import Path

from mri2pet.provenance.record import recorded
from mri2pet.simulation.adni_scans import simulate_subject
from mri2pet.simulation.people import Person
from mri2pet.simulation.template import load_template

with recorded(snakemake):
    simulate_subject(
        template=load_template(Path(snakemake.input.about).parent),
        person=Person.from_dict(snakemake.params.person),
        scanner=snakemake.params.scanner,
        raw=snakemake.output.raw,
        truth=snakemake.output.truth,
    )
