"""The simulated study of epilepsy: controls, and patients with a lesion, as a BIDS dataset."""

from mri2pet.simulation.epilepsy_people import SESSION, files as epilepsy_files
from mri2pet.simulation.epilepsy_people import plan_members

EPILEPSY = STUDIES[SIMULATIONS["epilepsy"]]
EPILEPSY_SIMULATION = config["studies"][EPILEPSY.name]["simulation"]
try:
    MEMBERS = {m.subject: m for m in plan_members(EPILEPSY_SIMULATION, config["seed"])}
except InputError as error:
    raise WorkflowError(str(error)) from None
READ_INPUTS[EPILEPSY.name] = {
    "tables": [f"{EPILEPSY.raw}/participants.tsv"],
    "listing": sorted(path for m in MEMBERS.values() for path in epilepsy_files(m).values()),
}
TRUTHS |= {
    (m.subject, SESSION): (f"results/simulated/truth/{m.subject}/{SESSION}", "")
    for m in MEMBERS.values()
}


def members(role, kind):
    """Return a wildcard constraint: the labels of one kind of simulated members."""
    labels = [m.subject for m in MEMBERS.values() if (m.role, m.kind) == (role, kind)]
    return "|".join(labels) or "-"


rule simulate_epilepsy_tables:
    output:
        participants=f"{EPILEPSY.raw}/participants.tsv",
        columns=f"{EPILEPSY.raw}/participants.json",
        description=f"{EPILEPSY.raw}/dataset_description.json",
        lesions=f"{EPILEPSY.raw}/derivatives/lesions/dataset_description.json",
        truth="results/simulated/truth/epilepsy_lesions.tsv",
    log:
        "logs/simulate_epilepsy_tables/simulate_epilepsy_tables.log",
    localrule: True
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        members=[member.as_dict() for member in MEMBERS.values()],
        code=code("simulate_epilepsy_tables.py"),
    script:
        "../../scripts/simulate_epilepsy_tables.py"


rule simulate_mri_control:
    input:
        **TEMPLATE_FILES,
    output:
        t1w=f"{EPILEPSY.raw}/{VISIT}/anat/{NAME}_T1w.nii.gz",
        t1w_sidecar=f"{EPILEPSY.raw}/{VISIT}/anat/{NAME}_T1w.json",
        truth=directory("results/simulated/truth/{subject}/{visit}"),
    log:
        f"logs/simulate_member/{NAME}.log",
    wildcard_constraints:
        subject=members("control", "mri_only"),
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        member=lambda wildcards: MEMBERS[wildcards.subject].as_dict(),
        scanner={key: EPILEPSY_SIMULATION[key] for key in ("mri_voxel_mm", "pet_voxel_mm")},
        coupling=EPILEPSY_SIMULATION["coupling"],
        code=code("simulate_member.py"),
    script:
        "../../scripts/simulate_member.py"


use rule simulate_mri_control as simulate_paired_control with:
    output:
        t1w=f"{EPILEPSY.raw}/{VISIT}/anat/{NAME}_T1w.nii.gz",
        t1w_sidecar=f"{EPILEPSY.raw}/{VISIT}/anat/{NAME}_T1w.json",
        pet=f"{EPILEPSY.raw}/{VISIT}/pet/{NAME}_trc-18FFDG_pet.nii.gz",
        pet_sidecar=f"{EPILEPSY.raw}/{VISIT}/pet/{NAME}_trc-18FFDG_pet.json",
        truth=directory("results/simulated/truth/{subject}/{visit}"),
    wildcard_constraints:
        subject=members("control", "paired"),


use rule simulate_mri_control as simulate_patient with:
    output:
        t1w=f"{EPILEPSY.raw}/{VISIT}/anat/{NAME}_T1w.nii.gz",
        t1w_sidecar=f"{EPILEPSY.raw}/{VISIT}/anat/{NAME}_T1w.json",
        pet=f"{EPILEPSY.raw}/{VISIT}/pet/{NAME}_trc-18FFDG_pet.nii.gz",
        pet_sidecar=f"{EPILEPSY.raw}/{VISIT}/pet/{NAME}_trc-18FFDG_pet.json",
        lesion=f"{EPILEPSY.raw}/derivatives/lesions/{VISIT}/anat/{NAME}_label-lesion_mask.nii.gz",
        truth=directory("results/simulated/truth/{subject}/{visit}"),
    wildcard_constraints:
        subject=members("patient", "paired"),
