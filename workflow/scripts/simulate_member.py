"""Simulate one member of the epilepsy study: T1, PET and lesion mask as BIDS files, and the truth.

Deforms the template anatomy into the person's head and scans it once. Which
files there are follows from the person's role: controls may have an MRI alone, patients have one
lesion. The truth goes to results/simulated/truth/{subject}/{visit}/.
"""

from pathlib import Path

from mri2pet.provenance.record import recorded
from mri2pet.simulation.epilepsy_people import Member
from mri2pet.simulation.epilepsy_scans import simulate_member
from mri2pet.simulation.template import load_template

with recorded(snakemake):
    made = snakemake.output
    simulate_member(
        template=load_template(Path(snakemake.input.about).parent),
        member=Member.from_dict(snakemake.params.member),
        scanner=snakemake.params.scanner,
        outputs={name: made[name] for name in ("t1w", "pet", "lesion") if made.get(name)},
        truth=made.truth,
        coupling=snakemake.params.coupling,
    )
