"""The simulated study of dementia: people of several groups, in ADNI's raw form or as BIDS."""

from mri2pet.simulation.people import plan_people
from mri2pet.cohorts.adni.scans import subject_label
from mri2pet.datasets.scanners import scanner_name
from mri2pet.simulation.scanners import machine, scanner_of

DEMENTIA = STUDIES[SIMULATIONS["dementia"]]
SIMULATION = config["studies"][DEMENTIA.name]["simulation"]
# A person's parameters follow from the seed and the person's number: a larger cohort simulates the
# new people alone.
PEOPLE = {person.ptid: person for person in plan_people(SIMULATION, config["seed"])}
SCANNERS = {ptid: scanner_of(person, SIMULATION) for ptid, person in PEOPLE.items()}
SIMULATED_SCANNERS |= {
    subject_label(ptid): scanner_name(machine(scanner, "MR")) for ptid, scanner in SCANNERS.items()
}
PLANNED = {key: SIMULATION[key] for key in ("groups", "mri_only", "paired", "second_visits")}


include: f"dementia_{DEMENTIA.reader}.smk"
