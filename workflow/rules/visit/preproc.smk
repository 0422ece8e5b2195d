# Preprocessing, one rule a stage. A scan that a stage cannot use leaves empty files and the reason.

ANAT = f"{RESULTS}/preproc/{VISIT}/anat/{NAME}"
PET = f"{RESULTS}/preproc/{VISIT}/pet/{NAME}"
ACPC_TO_MNI = f"{ANAT}_from-ACPC_to-MNI152_mode-image_xfm"
PET_TO_ACPC = f"{PET}_from-PET_to-ACPC_mode-image_xfm"
TEMPLATE = "resources/atlases/mni152_t1.nii.gz"
TEMPLATE_BRAIN = "resources/atlases/mni152_brain_mask.nii.gz"


rule acpc:
    input:
        t1w=f"{BIDS_T1W}.nii.gz",
        sidecar=f"{BIDS_T1W}.json",
        template=TEMPLATE,
        brain=TEMPLATE_BRAIN,
    output:
        image=f"{ANAT}_desc-acpc_T1w.nii.gz",
        sidecar=f"{ANAT}_desc-acpc_T1w.json",
        transform=f"{ANAT}_from-T1w_to-ACPC_mode-image_xfm.txt",
        initial=f"{ANAT}_from-ACPC_to-MNI152_desc-initial_mode-image_xfm.txt",
        picture=f"{ANAT}_acpc_qc.png",
    log:
        f"logs/acpc/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        code=code("acpc.py"),
    script:
        "../../scripts/acpc.py"


rule n4:
    input:
        image=rules.acpc.output.image,
        sidecar=rules.acpc.output.sidecar,
        initial=rules.acpc.output.initial,
        brain=TEMPLATE_BRAIN,
    output:
        image=f"{ANAT}_desc-n4_T1w.nii.gz",
        sidecar=f"{ANAT}_desc-n4_T1w.json",
        picture=f"{ANAT}_n4_qc.png",
    log:
        f"logs/n4/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        shrink=config["preproc"]["n4_shrink"],
        code=code("n4.py"),
    script:
        "../../scripts/n4.py"


rule skullstrip:
    input:
        image=rules.n4.output.image,
        sidecar=rules.n4.output.sidecar,
    output:
        mask=f"{ANAT}_desc-brain_mask.nii.gz",
        sidecar=f"{ANAT}_desc-brain_mask.json",
        picture=f"{ANAT}_skullstrip_qc.png",
    log:
        f"logs/skullstrip/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/skullstrip.yaml"
    resources:
        mem_mb=more(4000),
        runtime=more(30),
    params:
        tool=config["preproc"]["skullstrip"],
        limits_ml=[config["preproc"]["qc"][key] for key in ("min_brain_ml", "max_brain_ml")],
        code=code("skullstrip.py"),
    script:
        "../../scripts/skullstrip.py"


rule normalise:
    input:
        image=rules.n4.output.image,
        mask=rules.skullstrip.output.mask,
        sidecar=rules.skullstrip.output.sidecar,
    output:
        image=f"{ANAT}_desc-normalised_T1w.nii.gz",
        sidecar=f"{ANAT}_desc-normalised_T1w.json",
    log:
        f"logs/normalise/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        code=code("normalise.py"),
    script:
        "../../scripts/normalise.py"


rule register_mri:
    input:
        image=rules.normalise.output.image,
        sidecar=rules.normalise.output.sidecar,
        initial=rules.acpc.output.initial,
        template=TEMPLATE,
        brain=TEMPLATE_BRAIN,
    output:
        transform=f"{ACPC_TO_MNI}.txt",
        sidecar=f"{ACPC_TO_MNI}.json",
        picture=f"{ANAT}_register_qc.png",
    log:
        f"logs/register_mri/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        code=code("register_mri.py"),
    script:
        "../../scripts/register_mri.py"


rule resample_mri:
    input:
        image=rules.normalise.output.image,
        mask=rules.skullstrip.output.mask,
        affine=rules.register_mri.output.transform,
        sidecar=rules.register_mri.output.sidecar,
        template=TEMPLATE,
    output:
        image=f"{ANAT}_space-MNI152_res-2_desc-normalised_T1w.nii.gz",
        sidecar=f"{ANAT}_space-MNI152_res-2_desc-normalised_T1w.json",
        mask=f"{ANAT}_space-MNI152_res-2_desc-brain_mask.nii.gz",
        model=f"{ANAT}_space-MNI152_res-64_desc-normalised_T1w.nii.gz",
    log:
        f"logs/resample_mri/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        stage="resample_mri",
        grid="res2",
        model=[64, 64, 64],
        about={"Resolution": "2 mm, 90x109x90"},
        code=code("resample_mri.py"),
    script:
        "../../scripts/resample_mri.py"


rule segment:
    input:
        image=rules.resample_mri.output.image,
        mask=rules.resample_mri.output.mask,
        sidecar=rules.resample_mri.output.sidecar,
    output:
        gm=f"{ANAT}_space-MNI152_res-64_label-GM_probseg.nii.gz",
        wm=f"{ANAT}_space-MNI152_res-64_label-WM_probseg.nii.gz",
        csf=f"{ANAT}_space-MNI152_res-64_label-CSF_probseg.nii.gz",
        labels=f"{ANAT}_space-MNI152_res-2_dseg.nii.gz",
        sidecar=f"{ANAT}_space-MNI152_res-2_dseg.json",
        picture=f"{ANAT}_segment_qc.png",
    log:
        f"logs/segment/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        code=code("segment.py"),
    script:
        "../../scripts/segment.py"


rule qc:
    input:
        image=rules.resample_mri.output.image,
        mask=rules.resample_mri.output.mask,
        mask_sidecar=rules.skullstrip.output.sidecar,
        sidecar=rules.segment.output.sidecar,
        template=TEMPLATE,
        brain=TEMPLATE_BRAIN,
    output:
        sidecar=f"{ANAT}_qc.json",
    log:
        f"logs/qc/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        limits=config["preproc"]["qc"],
        code=code("qc.py"),
    script:
        "../../scripts/qc.py"


rule coregister_pet:
    input:
        pet=of_visit(f"{BIDS_PET}.nii.gz"),
        pet_sidecar=of_visit(f"{BIDS_PET}.json"),
        image=rules.normalise.output.image,
        sidecar=rules.normalise.output.sidecar,
    output:
        transform=f"{PET_TO_ACPC}.txt",
        sidecar=f"{PET_TO_ACPC}.json",
        picture=f"{PET}_coregister_qc.png",
    log:
        f"logs/coregister_pet/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        code=code("coregister_pet.py"),
    script:
        "../../scripts/coregister_pet.py"


rule resample_pet:
    input:
        pet=f"{BIDS_PET}.nii.gz",
        rigid=rules.coregister_pet.output.transform,
        rigid_sidecar=rules.coregister_pet.output.sidecar,
        affine=rules.register_mri.output.transform,
        affine_sidecar=rules.register_mri.output.sidecar,
        image=rules.resample_mri.output.image,
        image_sidecar=rules.resample_mri.output.sidecar,
        brain=TEMPLATE_BRAIN,
        atlas="resources/atlases/aal.nii.gz",
    output:
        res2=f"{PET}_space-MNI152_res-2_trc-{{tracer}}_pet.nii.gz",
        sidecar=f"{PET}_space-MNI152_res-2_trc-{{tracer}}_pet.json",
        res64=f"{PET}_space-MNI152_res-64_trc-{{tracer}}_pet.nii.gz",
        seen=f"{PET}_space-MNI152_res-64_trc-{{tracer}}_desc-seen_mask.nii.gz",
    log:
        f"logs/resample_pet/{NAME}_trc-{{tracer}}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        reference=config["preproc"]["pet_reference"],
        ceiling=config["preproc"]["pet_ceiling"],
        limits=config["preproc"]["qc"],
        tracer=lambda wildcards: wildcards.tracer,
        code=code("resample_pet.py"),
    script:
        "../../scripts/resample_pet.py"
