# The study of epilepsy: simulated as a BIDS folder, or a user's own (config gan_anomaly.raw).

from mri2pet.cohorts.bids.reader import list_inputs
from mri2pet.simulation.epilepsy_people import files as epilepsy_files
from mri2pet.simulation.epilepsy_people import plan_members

EPILEPSY_SIMULATED = config["gan_anomaly"]["raw"] == "simulated"
EPILEPSY_RAW = (
    "results/simulated/epilepsy" if EPILEPSY_SIMULATED else config["gan_anomaly"]["raw"].rstrip("/")
)
EPILEPSY_STUDY = {"name": "epilepsy", "raw": EPILEPSY_RAW}
try:
    MEMBERS = (
        {m.subject: m for m in plan_members(config["gan_anomaly"]["simulation"], config["seed"])}
        if EPILEPSY_SIMULATED
        else {}
    )
    EPILEPSY_IMAGES = (
        sorted(path for member in MEMBERS.values() for path in epilepsy_files(member).values())
        if EPILEPSY_SIMULATED
        else list_inputs(Path(EPILEPSY_RAW), EPILEPSY_STUDY)["listing"]
    )
except InputError as error:
    raise WorkflowError(str(error)) from None

COHORTS["epilepsy"] = ("epilepsy_cohort", "results/cohort/epilepsy.tsv")
EXCLUSIONS["epilepsy"] = "results/cohort/epilepsy_exclusions.tsv"
QC_STAGES["epilepsy"] = ["acpc", "n4", "skullstrip", "register", "warp", "coregister"]


def members(role, kind):
    """Return a wildcard constraint: the labels of one kind of simulated members."""
    labels = [m.subject for m in MEMBERS.values() if (m.role, m.kind) == (role, kind)]
    return "|".join(labels) or "-"


rule simulate_epilepsy_tables:
    output:
        participants="results/simulated/epilepsy/participants.tsv",
        columns="results/simulated/epilepsy/participants.json",
        description="results/simulated/epilepsy/dataset_description.json",
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
        t1w=f"results/simulated/epilepsy/{VISIT}/anat/{NAME}_T1w.nii.gz",
        t1w_sidecar=f"results/simulated/epilepsy/{VISIT}/anat/{NAME}_T1w.json",
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
        scanner=(
            {
                key: config["gan_anomaly"]["simulation"][key]
                for key in ("mri_voxel_mm", "pet_voxel_mm")
            }
            if EPILEPSY_SIMULATED
            else {}
        ),
        code=code("simulate_member.py"),
    script:
        "../../scripts/simulate_member.py"


use rule simulate_mri_control as simulate_paired_control with:
    output:
        t1w=f"results/simulated/epilepsy/{VISIT}/anat/{NAME}_T1w.nii.gz",
        t1w_sidecar=f"results/simulated/epilepsy/{VISIT}/anat/{NAME}_T1w.json",
        pet=f"results/simulated/epilepsy/{VISIT}/pet/{NAME}_trc-18FFDG_pet.nii.gz",
        pet_sidecar=f"results/simulated/epilepsy/{VISIT}/pet/{NAME}_trc-18FFDG_pet.json",
        truth=directory("results/simulated/truth/{subject}/{visit}"),
    wildcard_constraints:
        subject=members("control", "paired"),


use rule simulate_mri_control as simulate_patient with:
    output:
        t1w=f"results/simulated/epilepsy/{VISIT}/anat/{NAME}_T1w.nii.gz",
        t1w_sidecar=f"results/simulated/epilepsy/{VISIT}/anat/{NAME}_T1w.json",
        pet=f"results/simulated/epilepsy/{VISIT}/pet/{NAME}_trc-18FFDG_pet.nii.gz",
        pet_sidecar=f"results/simulated/epilepsy/{VISIT}/pet/{NAME}_trc-18FFDG_pet.json",
        lesion=f"results/simulated/epilepsy/derivatives/lesions/{VISIT}/anat/{NAME}_label-lesion_mask.nii.gz",
        truth=directory("results/simulated/truth/{subject}/{visit}"),
    wildcard_constraints:
        subject=members("patient", "paired"),


checkpoint epilepsy_cohort:
    input:
        participants=f"{EPILEPSY_RAW}/participants.tsv",
    output:
        table="results/cohort/epilepsy.tsv",
        exclusions="results/cohort/epilepsy_exclusions.tsv",
    log:
        "logs/epilepsy_cohort/epilepsy_cohort.log",
    localrule: True
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        study=EPILEPSY_STUDY,
        images=EPILEPSY_IMAGES,
        code=code("epilepsy_cohort.py"),
    script:
        "../../scripts/epilepsy_cohort.py"
