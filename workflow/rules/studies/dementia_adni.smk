"""The simulated people as a download of ADNI: DICOM series, and two tables."""

from mri2pet.cohorts.adni.scans import subject_label

READ_INPUTS[DEMENTIA.name] = {
    "tables": [f"{DEMENTIA.raw}/collection.csv", f"{DEMENTIA.raw}/ADNIMERGE.csv"],
    "listing": [],
}
TRUTHS |= {
    (subject_label(ptid), visit.code): (f"results/simulated/truth/{ptid}", visit.code)
    for ptid, person in PEOPLE.items()
    for visit in person.visits
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
        scanner=lambda wildcards: SCANNERS[wildcards.ptid],
        code=code("simulate_subject.py"),
    script:
        "../../scripts/simulate_subject.py"
