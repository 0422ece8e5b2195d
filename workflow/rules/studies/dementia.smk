"""The simulated study of dementia: people of several groups, in ADNI's raw form or as BIDS."""

from mri2pet.simulation.people import plan_people

DEMENTIA = STUDIES[SIMULATIONS["dementia"]]
SIMULATION = config["studies"][DEMENTIA.name]["simulation"]
# A person's parameters follow from the seed and the person's number: a larger cohort simulates the
# new people alone.
PEOPLE = {person.ptid: person for person in plan_people(SIMULATION, config["seed"])}
SCANNER = {
    "mri_voxel_mm": SIMULATION["mri_voxel_mm"],
    "pet_frames": SIMULATION.get("pet_frames", 1),
    "pet_voxel_mm": SIMULATION["pet_voxel_mm"],
}
PLANNED = {key: SIMULATION[key] for key in ("groups", "mri_only", "paired", "second_visits")}


include: f"dementia_{DEMENTIA.reader}.smk"
