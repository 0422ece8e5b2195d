# The space "anomaly": SyN, then MRI, PET and lesions interpolated once onto SPM's bounding box.

from mri2pet.datasets.age_matching import match_ages

MRI_ANOMALY = f"{ANAT}_space-MNI152SyN_res-anomaly"
PET_ANOMALY = f"{PET}_space-MNI152SyN_res-anomaly"
ANOMALY_FOLDS = list(range(config["gan_anomaly"]["folds"]["n"]))
IXI_CONTROLS = config["gan_anomaly"]["ixi_controls"]
CONTROLS_STUDY = FURTHER_STUDIES.get("gan_anomaly")


def ixi_controls():
    """Return the IXI people whose T1 makes them controls with an MRI alone, as old as the others."""
    if not IXI_CONTROLS:
        return []
    people = {
        key: age_of(row) for key, row in cohort(CONTROLS_STUDY).items() if row["mri_file"] != "n/a"
    }
    rows = cohort(space_study("anomaly")).values()
    controls = [row for row in rows if (row["role"], row["kind"]) == ("control", "paired")]
    try:
        return match_ages(people, [age_of(row) for row in controls], IXI_CONTROLS)
    except InputError as error:
        raise WorkflowError(str(error)) from None


def age_of(row):
    """Return the age in a row of a cohort table, NaN where it is not known."""
    return float("nan") if row["age"] == "n/a" else float(row["age"])


def anomaly_visits(pattern, kind=None):
    """Return an input function: `pattern` for the visits of the space, in the order of its rows."""

    def paths(wildcards):
        found = each_visit(pattern, "anomaly", kind)(wildcards)
        if kind is None:
            found += [pattern.format(subject=key[0], visit=key[1]) for key in ixi_controls()]
        return found

    return paths


def lesion_files(_):
    """Return the lesions of the patients who have one, in the space."""
    return [
        f"{MRI_ANOMALY}_label-lesion_mask.nii.gz".format(**row)
        for row in cohort(space_study("anomaly")).values()
        if row["lesion_file"] != "n/a"
    ]


rule resample_anomaly:
    input:
        image=rules.normalise.output.image,
        mask=rules.skullstrip.output.mask,
        affine=rules.register_mri.output.transform,
        warp=rules.warp_mri.output.warp,
        sidecar=rules.warp_mri.output.sidecar,
        gm=rules.segment.output.gm,
        wm=rules.segment.output.wm,
        csf=rules.segment.output.csf,
    output:
        image=f"{MRI_ANOMALY}_desc-normalised_T1w.nii.gz",
        gm=f"{MRI_ANOMALY}_label-GM_probseg.nii.gz",
        wm=f"{MRI_ANOMALY}_label-WM_probseg.nii.gz",
        csf=f"{MRI_ANOMALY}_label-CSF_probseg.nii.gz",
        sidecar=f"{MRI_ANOMALY}_desc-normalised_T1w.json",
    log:
        f"logs/resample_anomaly/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        stage="resample_anomaly",
        grid=config["gan_anomaly"]["voxel_mm"],
        about={"VoxelMm": config["gan_anomaly"]["voxel_mm"]},
        code=code("resample_mri.py"),
    script:
        "../../scripts/resample_mri.py"


rule resample_pet_anomaly:
    input:
        pet=f"{BIDS_PET}.nii.gz",
        rigid=rules.coregister_pet.output.transform,
        rigid_sidecar=rules.coregister_pet.output.sidecar,
        affine=rules.register_mri.output.transform,
        warp=rules.warp_mri.output.warp,
        image=rules.resample_anomaly.output.image,
        sidecar=rules.resample_anomaly.output.sidecar,
        brain=TEMPLATE_BRAIN,
    output:
        image=f"{PET_ANOMALY}_trc-{{tracer}}_pet.nii.gz",
        seen=f"{PET_ANOMALY}_trc-{{tracer}}_desc-seen_mask.nii.gz",
        sidecar=f"{PET_ANOMALY}_trc-{{tracer}}_pet.json",
    log:
        f"logs/resample_pet_anomaly/{NAME}_trc-{{tracer}}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        limits=config["preproc"]["qc"],
        tracer=lambda wildcards: wildcards.tracer,
        code=code("resample_pet_anomaly.py"),
    script:
        "../../scripts/resample_pet_anomaly.py"


rule resample_lesion:
    input:
        lesion=lambda wildcards: visit_row(wildcards)["lesion_file"],
        to_acpc=rules.acpc.output.transform,
        affine=rules.register_mri.output.transform,
        warp=rules.warp_mri.output.warp,
        sidecar=rules.resample_anomaly.output.sidecar,
    output:
        image=f"{MRI_ANOMALY}_label-lesion_mask.nii.gz",
        sidecar=f"{MRI_ANOMALY}_label-lesion_mask.json",
    log:
        f"logs/resample_lesion/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        voxel_mm=config["gan_anomaly"]["voxel_mm"],
        code=code("resample_lesion.py"),
    script:
        "../../scripts/resample_lesion.py"


PACKED["anomaly"] = {
    "space": "MNI152NLin6Asym by affine and SyN, in SPM's bounding box",
    "arrays": {
        "mri": MRI_TEXT,
        "pet": "FDG-PET over a high percentile of its own inside the brain, 0..1; "
        "zeros without a PET",
        "seen": SEEN_TEXT,
        "lesion": "1 inside a patient's lesion; zeros where none is known",
        **TISSUE_TEXT,
    },
    "folds": {
        "n": config["gan_anomaly"]["folds"]["n"],
        "groups": ["control"],
        "role": "control",
        "key": "gan_anomaly.folds.n",
        "held_back": {
            "count": config["gan_anomaly"]["detector"]["further_controls"],
            "seed": config["seed"],
        },
        "spare": {
            "gan_anomaly.validation.people": config["gan_anomaly"]["validation"].get("people", 0)
        },
    },
    "columns": ["kind", "role"],
    "whole_atlas": False,  # the field of view cuts some regions off
    "ixi_controls": lambda wildcards: [list(key) for key in ixi_controls()],
    "input": {
        **TEMPLATE_GRIDS,
        "cohort": COHORT.format(study=space_study("anomaly")),
        "ixi": COHORT.format(study=CONTROLS_STUDY) if IXI_CONTROLS else [],
        "mri": anomaly_visits(rules.resample_anomaly.output.image),
        **{name: anomaly_visits(rules.resample_anomaly.output[name]) for name in TISSUE_TEXT},
        "mri_sidecar": anomaly_visits(rules.resample_anomaly.output.sidecar),
        "pet": anomaly_visits(rules.resample_pet_anomaly.output.image, kind="paired"),
        "seen": anomaly_visits(rules.resample_pet_anomaly.output.seen, kind="paired"),
        "pet_sidecar": anomaly_visits(rules.resample_pet_anomaly.output.sidecar, kind="paired"),
        "lesion": lesion_files,
    },
}
