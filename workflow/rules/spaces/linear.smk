rule pack_dataset:
    input:
        cohort=COHORT.format(study=space_study("linear")),
        mask="resources/atlases/mni152_brain_mask.nii.gz",
        atlas="resources/atlases/aal.nii.gz",
        regions="resources/atlases/aal.tsv",
        mri=each_visit(
            f"results/preproc/{VISIT}/anat/{NAME}_space-MNI152_res-64_desc-normalised_T1w.nii.gz",
            "linear",
        ),
        gm=each_visit(
            f"results/preproc/{VISIT}/anat/{NAME}_space-MNI152_res-64_label-GM_probseg.nii.gz",
            "linear",
        ),
        wm=each_visit(
            f"results/preproc/{VISIT}/anat/{NAME}_space-MNI152_res-64_label-WM_probseg.nii.gz",
            "linear",
        ),
        csf=each_visit(
            f"results/preproc/{VISIT}/anat/{NAME}_space-MNI152_res-64_label-CSF_probseg.nii.gz",
            "linear",
        ),
        mri_sidecar=each_visit(f"results/preproc/{VISIT}/anat/{NAME}_qc.json", "linear"),
        pet=each_visit(
            f"results/preproc/{VISIT}/pet/{NAME}_space-MNI152_res-64_trc-{{tracer}}_pet.nii.gz",
            "linear",
            kind="paired",
        ),
        pet_sidecar=each_visit(
            f"results/preproc/{VISIT}/pet/{NAME}_space-MNI152_res-2_trc-{{tracer}}_pet.json",
            "linear",
            kind="paired",
        ),
    output:
        visits="results/datasets/linear/visits.tsv",
        mri="results/datasets/linear/mri.npy",
        pet="results/datasets/linear/pet.npy",
        gm="results/datasets/linear/gm.npy",
        wm="results/datasets/linear/wm.npy",
        csf="results/datasets/linear/csf.npy",
        mask="results/datasets/linear/mask.npy",
        atlas="results/datasets/linear/atlas.npy",
        description="results/datasets/linear/dataset.json",
        excluded="results/datasets/linear/excluded_scans.tsv",
    log:
        "logs/pack_dataset/linear.log",
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(60),
    params:
        space="MNI152NLin6Asym by an affine",
        code=code("pack_dataset.py"),
    script:
        "../../scripts/pack_dataset.py"


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
