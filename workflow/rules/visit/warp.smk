# SyN after the affine of the linear space, for all spaces that it leads to.

WARP = f"{ANAT}_from-ACPC_to-MNI152_desc-syn_mode-image_xfm"


rule warp_mri:
    input:
        image=rules.normalise.output.image,
        affine=rules.register_mri.output.transform,
        sidecar=rules.qc.output.sidecar,
        template=TEMPLATE,
        brain=TEMPLATE_BRAIN,
    output:
        warp=f"{WARP}.nii.gz",
        sidecar=f"{WARP}.json",
        picture=f"{ANAT}_warp_qc.png",
    log:
        f"logs/warp_mri/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(30),
    params:
        **config["preproc"]["syn"],
        code=code("warp_mri.py"),
    script:
        "../../scripts/warp_mri.py"
