# The space "linear": an affine to the template; MRI, PET and tissues on the grid of the networks.

RES64 = f"results/preproc/{VISIT}/anat/{NAME}_space-MNI152_res-64"
TISSUE = dict.fromkeys(("gm", "wm", "csf"), "probability of the tissue, 0..1")

PACKED["linear"] = {
    "space": "MNI152NLin6Asym by an affine",
    "arrays": {"mri": MRI_TEXT, "pet": PET_TEXT, **TISSUE},
    "input": {
        **TEMPLATE_GRIDS,
        "cohort": "results/cohort/cohort.tsv",
        "mri": each_visit(f"{RES64}_desc-normalised_T1w.nii.gz"),
        **{name: each_visit(f"{RES64}_label-{name.upper()}_probseg.nii.gz") for name in TISSUE},
        "mri_sidecar": each_visit(f"results/preproc/{VISIT}/anat/{NAME}_qc.json"),
        "pet": each_visit(
            f"results/preproc/{VISIT}/pet/{NAME}_space-MNI152_res-64_trc-18FFDG_pet.nii.gz",
            kind="paired",
        ),
        "pet_sidecar": each_visit(
            f"results/preproc/{VISIT}/pet/{NAME}_space-MNI152_res-2_trc-18FFDG_pet.json",
            kind="paired",
        ),
    },
}


rule make_folds:
    input:
        visits="results/datasets/linear/visits.tsv",
    output:
        table="results/datasets/linear/folds.tsv",
        description="results/datasets/linear/folds.json",
    log:
        "logs/make_folds/linear.log",
    localrule: True
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        n=config["folds"]["n"],
        seed=config["seed"],
        code=code("make_folds.py"),
    script:
        "../../scripts/make_folds.py"
