"""The space "ixi": T2 and PD of a person on one grid, as they were acquired."""


def ixi_people(*splits):
    """Return the (subject, visit) of the people in some parts of the split, or in any."""
    return [
        key
        for key, row in cohort(STUDY["ixi"]).items()
        if (row["split"] in splits if splits else row["split"] != "n/a")
    ]


def each_ixi(pattern, *splits):
    """Return an input function: `pattern` filled in for the people of some parts of the split."""
    return lambda _: [
        pattern.format(subject=subject, visit=visit) for subject, visit in ixi_people(*splits)
    ]


rule convert_ixi:
    input:
        t2=lambda wildcards: visit_row(wildcards)["t2_file"],
        pd=lambda wildcards: visit_row(wildcards)["pd_file"],
    output:
        t2=f"results/bids/{VISIT}/anat/{NAME}_T2w.nii.gz",
        pd=f"results/bids/{VISIT}/anat/{NAME}_PDw.nii.gz",
        t2_sidecar=f"results/bids/{VISIT}/anat/{NAME}_T2w.json",
        pd_sidecar=f"results/bids/{VISIT}/anat/{NAME}_PDw.json",
    log:
        f"logs/convert_ixi/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(15),
    params:
        t2=lambda wildcards: visit_row(wildcards)["t2_member"],
        pd=lambda wildcards: visit_row(wildcards)["pd_member"],
        code=code("convert_ixi.py"),
    script:
        "../../scripts/convert_ixi.py"


rule prepare_ixi:
    input:
        t2=f"results/bids/{VISIT}/anat/{NAME}_T2w.nii.gz",
        pd=f"results/bids/{VISIT}/anat/{NAME}_PDw.nii.gz",
        sidecars=[
            f"results/bids/{VISIT}/anat/{NAME}_T2w.json",
            f"results/bids/{VISIT}/anat/{NAME}_PDw.json",
        ],
    output:
        t2=f"results/preproc/{VISIT}/anat/{NAME}_res-model_desc-standardised_T2w.nii.gz",
        pd=f"results/preproc/{VISIT}/anat/{NAME}_res-model_desc-standardised_PDw.nii.gz",
        sidecar=f"results/preproc/{VISIT}/anat/{NAME}_res-model_desc-standardised.json",
    log:
        f"logs/prepare_ixi/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(15),
    params:
        grid=config["ixi"]["grid"],
        code=code("prepare_ixi.py"),
    script:
        "../../scripts/prepare_ixi.py"


PACKED["ixi"] = {
    "space": "that of each scan, its slices thinned out to one grid",
    "intensity": "standardised",
    "arrays": {
        "t2": "T2-weighted MRI, mean 0 and standard deviation 1 over the volume",
        "pd": "proton density-weighted MRI of the same acquisition, standardised alike",
    },
    "columns": ["site", "split"],
    "input": {
        "cohort": COHORT.format(study=space_study("ixi")),
        "t2": each_ixi(rules.prepare_ixi.output.t2),
        "pd": each_ixi(rules.prepare_ixi.output.pd),
        "mri_sidecar": each_ixi(rules.prepare_ixi.output.sidecar),
    },
}
