rule convert_mri:
    input:
        folder=raw_subject_folder,
    output:
        image=f"results/bids/{VISIT}/anat/{NAME}_T1w.nii.gz",
        sidecar=f"results/bids/{VISIT}/anat/{NAME}_T1w.json",
    log:
        f"logs/convert_mri/{NAME}.log",
    conda:
        "../../envs/imaging.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        image_id=lambda wildcards: visit_row(wildcards)["mri_image_id"],
        code=code("convert_mri.py"),
    script:
        "../scripts/convert_mri.py"


rule convert_pet:
    input:
        folder=raw_subject_folder,
    output:
        image=f"results/bids/{VISIT}/pet/{NAME}_trc-18FFDG_pet.nii.gz",
        sidecar=f"results/bids/{VISIT}/pet/{NAME}_trc-18FFDG_pet.json",
    log:
        f"logs/convert_pet/{NAME}.log",
    conda:
        "../../envs/imaging.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        image_id=lambda wildcards: visit_row(wildcards)["pet_image_id"],
        code=code("convert_pet.py"),
    script:
        "../scripts/convert_pet.py"


rule participants:
    input:
        table="results/cohort/cohort.tsv",
    output:
        participants="results/bids/participants.tsv",
        columns="results/bids/participants.json",
        description="results/bids/dataset_description.json",
        readme="results/bids/README",
    log:
        "logs/participants/participants.log",
    conda:
        "../../envs/stats.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("participants.py"),
    script:
        "../scripts/participants.py"
