"""One rule packs the dataset of every space; its arrays are those that the space names."""

ON_TEMPLATE = {
    "mask": "template's brain, a voxel if at least half of it is",
    "atlas": "AAL, label of the largest part of a voxel",
}
ON_NONE = {"mask": "every voxel"}

for space, packed in PACKED.items():

    rule:
        name:
            f"pack_{space}"
        input:
            **packed["input"],
        output:
            **{
                name: f"results/datasets/{space}/{name}.npy"
                for name in [
                    *packed["arrays"],
                    *(ON_TEMPLATE if "mask" in packed["input"] else ON_NONE),
                ]
            },
            visits=f"results/datasets/{space}/visits.tsv",
            description=f"results/datasets/{space}/dataset.json",
            excluded=f"results/datasets/{space}/excluded_scans.tsv",
        log:
            f"logs/pack_dataset/{space}.log",
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(2000),
            runtime=more(60),
        params:
            arrays=packed["arrays"],
            about={
                **(ON_TEMPLATE if "mask" in packed["input"] else ON_NONE),
                **{key: packed[key] for key in ("space", "intensity") if key in packed},
            },
            columns=packed.get("columns", ["kind"]),
            whole_atlas=packed.get("whole_atlas", True),
            ixi_controls=packed.get("ixi_controls", []),
            code=code("pack_dataset.py"),
        script:
            "../../scripts/pack_dataset.py"


# The one table of all that was left out waits for every space; nothing but the report waits for it.
rule excluded_scans:
    input:
        [EXCLUSIONS[study] for study in STUDIES],
        expand("results/datasets/{space}/excluded_scans.tsv", space=SPACES),
    output:
        "results/cohort/excluded_scans.tsv",
    log:
        "logs/excluded_scans/excluded_scans.log",
    localrule: True
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("excluded_scans.py"),
    script:
        "../../scripts/excluded_scans.py"
