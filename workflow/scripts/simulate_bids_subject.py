"""Simulate one visit of a person as BIDS files, T1 and, where there is one, PET, and the truth.

Deforms the template anatomy into the person's head and scans it. The scans are those that
simulate_subject.py writes as DICOM series; they are named by the outputs, with a sidecar beside
each. The truth goes to results/simulated/truth/{ptid}/{visit}/.
"""

from pathlib import Path

from mri2pet.provenance.record import recorded
from mri2pet.simulation.bids_scans import simulate_bids_visit
from mri2pet.simulation.people import Person
from mri2pet.simulation.template import load_template

with recorded(snakemake):
    made, params = snakemake.output, snakemake.params
    person = Person.from_dict(params.person)
    (visit,) = (visit for visit in person.visits if visit.code == params.visit)
    simulate_bids_visit(
        template=load_template(Path(snakemake.input.about).parent),
        person=person,
        visit=visit,
        scanner=params.scanner,
        outputs={name: made[name] for name in ("t1w", "pet") if made.get(name)},
        truth=made.truth,
    )
