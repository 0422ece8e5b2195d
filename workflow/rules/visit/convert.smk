"""From raw scans to the BIDS dataset, a visit at a time."""

BIDS_T1W = f"{RESULTS}/bids/{VISIT}/anat/{NAME}_T1w"
BIDS_PET = f"{RESULTS}/bids/{VISIT}/pet/{NAME}_trc-{{tracer}}_pet"


rule convert_mri:
    input:
        scan=raw_scan("mri"),
        told=sidecars_of("mri"),
    output:
        image=f"{BIDS_T1W}.nii.gz",
        sidecar=f"{BIDS_T1W}.json",
    log:
        f"logs/convert_mri/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(15),
    params:
        key=raw_key("mri"),
        stamp=raw_stamp("mri"),
        modality="MRI",
        code=code("convert_scan.py"),
    script:
        "../../scripts/convert_scan.py"


rule convert_pet:
    input:
        scan=raw_scan("pet"),
        told=sidecars_of("pet"),
    output:
        image=f"{BIDS_PET}.nii.gz",
        sidecar=f"{BIDS_PET}.json",
    log:
        f"logs/convert_pet/{NAME}_trc-{{tracer}}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(15),
    params:
        key=raw_key("pet"),
        stamp=raw_stamp("pet"),
        modality="PET",
        tracer=lambda wildcards: wildcards.tracer,
        window=lambda wildcards: WINDOWS[study_of(wildcards)],
        protocol=lambda wildcards: dict(STUDIES[study_of(wildcards)].pet_protocol),
        code=code("convert_scan.py"),
    script:
        "../../scripts/convert_scan.py"


rule participants:
    input:
        tables=[COHORT.format(study=study) for study in STUDIES],
    output:
        participants=f"{RESULTS}/bids/participants.tsv",
        columns=f"{RESULTS}/bids/participants.json",
        description=f"{RESULTS}/bids/dataset_description.json",
        readme=f"{RESULTS}/bids/README",
    log:
        "logs/participants/participants.log",
    localrule: True
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("participants.py"),
    script:
        "../../scripts/participants.py"


rule describe_preproc:
    output:
        description=f"{RESULTS}/preproc/dataset_description.json",
    log:
        "logs/describe_preproc/describe_preproc.log",
    localrule: True
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        name="Scans preprocessed by mri2pet",
        code=code("describe_preproc.py"),
    script:
        "../../scripts/describe_preproc.py"
