"""The simulated people as a BIDS dataset, written by the simulation itself."""

from mri2pet.cohorts.adni.scans import subject_label
from mri2pet.simulation.bids_tables import scan_files, table_files

SCANS = {
    (ptid, visit.code): scan_files(person, visit)
    for ptid, person in PEOPLE.items()
    for visit in person.visits
}
BIDS_TABLES = [f"{DEMENTIA.raw}/{path}" for path in table_files(PEOPLE.values())]
READ_INPUTS[DEMENTIA.name] = {
    "tables": BIDS_TABLES,
    "listing": sorted(path for scans in SCANS.values() for path in scans.values()),
}
# A label is a participant's ID without its underscores; the truth lies under the ID.
TRUTHS |= {
    (subject_label(ptid), visit): (f"results/simulated/truth/{ptid}/{visit}", "")
    for ptid, visit in SCANS
}
RAW_NAME = "sub-{site}S{rid}_ses-{visit}"
RAW_VISIT = f"{DEMENTIA.raw}/sub-{{site}}S{{rid}}/ses-{{visit}}"


def numbers(paired):
    """Return a wildcard constraint: the roster numbers of people with a PET, or without."""
    found = {
        ptid.split("_S_")[1] for (ptid, _), scans in SCANS.items() if ("pet" in scans) == paired
    }
    return "|".join(sorted(found)) or "-"


rule simulate_bids_tables:
    output:
        participants=BIDS_TABLES[0],
        others=BIDS_TABLES[1:],
    log:
        "logs/simulate_bids_tables/simulate_bids_tables.log",
    localrule: True
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        seed=config["seed"],
        people=PLANNED,
        code=code("simulate_bids_tables.py"),
    script:
        "../../scripts/simulate_bids_tables.py"


rule simulate_bids_mri:
    input:
        **TEMPLATE_FILES,
    output:
        t1w=f"{RAW_VISIT}/anat/{RAW_NAME}_T1w.nii.gz",
        t1w_sidecar=f"{RAW_VISIT}/anat/{RAW_NAME}_T1w.json",
        truth=directory("results/simulated/truth/{site}_S_{rid}/{visit}"),
    log:
        f"logs/simulate_bids/{RAW_NAME}.log",
    wildcard_constraints:
        site=r"\d{3}",
        rid=numbers(paired=False),
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        person=lambda wildcards: PEOPLE[f"{wildcards.site}_S_{wildcards.rid}"].as_dict(),
        visit=lambda wildcards: wildcards.visit,
        scanner=lambda wildcards: SCANNERS[f"{wildcards.site}_S_{wildcards.rid}"],
        code=code("simulate_bids_subject.py"),
    script:
        "../../scripts/simulate_bids_subject.py"


use rule simulate_bids_mri as simulate_bids_pair with:
    output:
        t1w=f"{RAW_VISIT}/anat/{RAW_NAME}_T1w.nii.gz",
        t1w_sidecar=f"{RAW_VISIT}/anat/{RAW_NAME}_T1w.json",
        pet=f"{RAW_VISIT}/pet/{RAW_NAME}_trc-18FFDG_pet.nii.gz",
        pet_sidecar=f"{RAW_VISIT}/pet/{RAW_NAME}_trc-18FFDG_pet.json",
        truth=directory("results/simulated/truth/{site}_S_{rid}/{visit}"),
    wildcard_constraints:
        site=r"\d{3}",
        rid=numbers(paired=True),
