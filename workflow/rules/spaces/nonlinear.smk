# The space "nonlinear": SyN after the affine of the linear space, MRI and PET interpolated once.

MRI_SYN = f"{ANAT}_space-MNI152SyN"
PET_SYN = f"{PET}_space-MNI152SyN"


rule resample_nonlinear:
    input:
        image=rules.normalise.output.image,
        mask=rules.skullstrip.output.mask,
        affine=rules.register_mri.output.transform,
        warp=rules.warp_mri.output.warp,
        sidecar=rules.warp_mri.output.sidecar,
        template=TEMPLATE,
        gm=rules.segment.output.gm,
        wm=rules.segment.output.wm,
        csf=rules.segment.output.csf,
    output:
        image=f"{MRI_SYN}_res-1p5_desc-normalised_T1w.nii.gz",
        sidecar=f"{MRI_SYN}_res-1p5_desc-normalised_T1w.json",
        model=f"{MRI_SYN}_res-model_desc-normalised_T1w.nii.gz",
        gm=f"{MRI_SYN}_res-model_label-GM_probseg.nii.gz",
        wm=f"{MRI_SYN}_res-model_label-WM_probseg.nii.gz",
        csf=f"{MRI_SYN}_res-model_label-CSF_probseg.nii.gz",
    log:
        f"logs/resample_nonlinear/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        stage="resample_nonlinear",
        grid="res15",
        model=config["dual_glow"]["grid"],
        about={"Resolution": "1.5 mm, 121x145x121"},
        code=code("resample_mri.py"),
    script:
        "../../scripts/resample_mri.py"


rule resample_pet_nonlinear:
    input:
        pet=f"{BIDS_PET}.nii.gz",
        rigid=rules.coregister_pet.output.transform,
        affine=rules.register_mri.output.transform,
        warp=rules.warp_mri.output.warp,
        warp_sidecar=rules.warp_mri.output.sidecar,
        linear_sidecar=rules.resample_pet.output.sidecar,
        brain=TEMPLATE_BRAIN,
    output:
        res15=f"{PET_SYN}_res-1p5_trc-{{tracer}}_pet.nii.gz",
        sidecar=f"{PET_SYN}_res-1p5_trc-{{tracer}}_pet.json",
        model=f"{PET_SYN}_res-model_trc-{{tracer}}_pet.nii.gz",
        seen=f"{PET_SYN}_res-model_trc-{{tracer}}_desc-seen_mask.nii.gz",
    log:
        f"logs/resample_pet_nonlinear/{NAME}_trc-{{tracer}}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        grid=config["dual_glow"]["grid"],
        limits=config["preproc"]["qc"],
        code=code("resample_pet_nonlinear.py"),
    script:
        "../../scripts/resample_pet_nonlinear.py"


PACKED["nonlinear"] = {
    "space": "MNI152NLin6Asym by affine and SyN",
    "arrays": {"mri": MRI_TEXT, "pet": PET_TEXT, "seen": SEEN_TEXT, **TISSUE_TEXT},
    "input": {
        **TEMPLATE_GRIDS,
        "cohort": COHORT.format(study=space_study("nonlinear")),
        "mri": each_visit(rules.resample_nonlinear.output.model, "nonlinear"),
        **{
            name: each_visit(rules.resample_nonlinear.output[name], "nonlinear")
            for name in TISSUE_TEXT
        },
        "mri_sidecar": each_visit(rules.resample_nonlinear.output.sidecar, "nonlinear"),
        "pet": each_visit(rules.resample_pet_nonlinear.output.model, "nonlinear", kind="paired"),
        "seen": each_visit(rules.resample_pet_nonlinear.output.seen, "nonlinear", kind="paired"),
        "pet_sidecar": each_visit(
            rules.resample_pet_nonlinear.output.sidecar, "nonlinear", kind="paired"
        ),
    },
}
