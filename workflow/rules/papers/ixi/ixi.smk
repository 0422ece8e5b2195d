"""IXI's T2 and PD: preprocessing, dataset, training and synthesis (parts X1 to X6)."""

IXI_MODELS = ENTRIES["ixi"]
IXI_PATCHES = IXI["patches"]


def ixi_people(*splits):
    """Return the (subject, visit) of the people in some parts of the split, or in any."""
    return [
        key
        for key, row in cohort("ixi").items()
        if (row["split"] in splits if splits else row["split"] != "n/a")
    ]


def each_ixi(pattern, *splits):
    """Return an input function: `pattern` filled in for the people of some parts of the split."""
    return lambda _: [
        pattern.format(subject=subject, visit=visit) for subject, visit in ixi_people(*splits)
    ]


def ixi_entry(model):
    """Return a model's entry without what only names it."""
    return {key: value for key, value in IXI_MODELS[model].items() if key != "label"}


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
        "../../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(15),
    params:
        t2=lambda wildcards: visit_row(wildcards)["t2_member"],
        pd=lambda wildcards: visit_row(wildcards)["pd_member"],
        code=code("convert_ixi.py"),
    script:
        "../../../scripts/convert_ixi.py"


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
        "../../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(15),
    params:
        grid=IXI["grid"],
        code=code("prepare_ixi.py"),
    script:
        "../../../scripts/prepare_ixi.py"


PACKED["ixi"] = {
    "space": "that of each scan, its slices thinned out to one grid",
    "intensity": "standardised",
    "arrays": {
        "t2": "T2-weighted MRI, mean 0 and standard deviation 1 over the volume",
        "pd": "proton density-weighted MRI of the same acquisition, standardised alike",
    },
    "columns": ["site", "split"],
    "input": {
        "cohort": "results/cohort/ixi.tsv",
        "t2": each_ixi(rules.prepare_ixi.output.t2),
        "pd": each_ixi(rules.prepare_ixi.output.pd),
        "mri_sidecar": each_ixi(rules.prepare_ixi.output.sidecar),
    },
}


rule train_ixi:
    input:
        visits="results/datasets/ixi/visits.tsv",
        t2="results/datasets/ixi/t2.npy",
        pd="results/datasets/ixi/pd.npy",
        start=lambda wildcards: (
            f"results/ixi/models/{IXI_MODELS[wildcards.model]['start']}/networks.pt"
            if "start" in IXI_MODELS[wildcards.model]
            else []
        ),
    output:
        weights="results/ixi/models/{model}/generator.pt",
        networks="results/ixi/models/{model}/networks.pt",
        history="results/ixi/models/{model}/history.tsv",
        curve="results/ixi/models/{model}/curve.png",
    log:
        "logs/train_ixi/{model}.log",
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(2880),
        gpu=1,
    params:
        model=lambda wildcards: ixi_entry(wildcards.model),
        patches=IXI_PATCHES,
        validation=IXI["validation"],
        seed=config["seed"],
        code=lambda wildcards: code("train_ixi.py", *training_code("ixi", wildcards.model)),
    script:
        "../../../scripts/train_ixi.py"


rule synthesise_ixi:
    input:
        visits="results/datasets/ixi/visits.tsv",
        source=lambda wildcards: (
            f"results/datasets/ixi/{IXI_MODELS[wildcards.model]['source']}.npy"
        ),
        description="results/datasets/ixi/dataset.json",
        weights="results/ixi/models/{model}/generator.pt",
    output:
        made="results/ixi/synthesis/{model}/volumes.npy",
        visits="results/ixi/synthesis/{model}/visits.tsv",
        nifti=directory("results/ixi/synthesis/{model}/nifti"),
    log:
        "logs/synthesise_ixi/{model}.log",
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(4000),
        runtime=more(240),
        gpu=1,
    params:
        generator=lambda wildcards: IXI_MODELS[wildcards.model]["generator"],
        target=lambda wildcards: IXI_MODELS[wildcards.model]["target"],
        patches=IXI_PATCHES,
        code=lambda wildcards: code("synthesise_ixi.py", *model_code("ixi", wildcards.model)),
    script:
        "../../../scripts/synthesise_ixi.py"
