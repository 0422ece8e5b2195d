"""The simulated study of dementia: people of several groups, in ADNI's own raw form."""

from mri2pet.simulation.people import plan_people

DEMENTIA = STUDIES[SIMULATIONS["dementia"]]
SIMULATION = config["studies"][DEMENTIA.name]["simulation"]
# A person's parameters follow from the seed and the person's number: a larger cohort simulates the
# new people alone.
PEOPLE = {person.ptid: person for person in plan_people(SIMULATION, config["seed"])}
READ_INPUTS[DEMENTIA.name] = {
    "tables": [f"{DEMENTIA.raw}/collection.csv", f"{DEMENTIA.raw}/ADNIMERGE.csv"],
    "listing": [],
}


rule simulate_tables:
    output:
        collection=f"{DEMENTIA.raw}/collection.csv",
        adnimerge=f"{DEMENTIA.raw}/ADNIMERGE.csv",
    log:
        "logs/simulate_tables/simulate_tables.log",
    localrule: True
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        seed=config["seed"],
        people={key: SIMULATION[key] for key in ("groups", "mri_only", "paired", "second_visits")},
        pet_frames=SIMULATION.get("pet_frames", 1),
        code=code("simulate_tables.py"),
    script:
        "../../scripts/simulate_tables.py"


rule simulate_subject:
    input:
        **TEMPLATE_FILES,
    output:
        raw=directory(f"{DEMENTIA.raw}/{{ptid}}"),
        truth=directory("results/simulated/truth/{ptid}"),
    log:
        "logs/simulate_subject/{ptid}.log",
    wildcard_constraints:
        ptid=r"\d{3}_S_\d{4}",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        person=lambda wildcards: PEOPLE[wildcards.ptid].as_dict(),
        scanner={
            "mri_voxel_mm": SIMULATION["mri_voxel_mm"],
            "pet_frames": SIMULATION.get("pet_frames", 1),
            "pet_voxel_mm": SIMULATION["pet_voxel_mm"],
        },
        code=code("simulate_subject.py"),
    script:
        "../../scripts/simulate_subject.py"
