rule fetch_atlases:
    input:
        packages=ancient(source_file("resources/packages.tsv")),
    output:
        atlas="resources/atlases/aal.nii.gz",
        regions="resources/atlases/aal.tsv",
        mni152="resources/atlases/mni152_t1.nii.gz",
        mni152_mask="resources/atlases/mni152_brain_mask.nii.gz",
        anatomy=expand(
            "resources/atlases/anatomy_{volume}.nii.gz",
            volume=["t1", "t2", "gm", "wm", "csf", "brain_mask", "head_mask"],
        ),
        landmarks="resources/atlases/anatomy_afids.tsv",
    log:
        "logs/fetch_atlases/fetch_atlases.log",
    localrule: True
    conda:
        "../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(20),
    params:
        pins=Path(source_file("resources/packages.tsv")).read_text(),  # its content, not its time stamp
        code=code("fetch_atlases.py"),
    script:
        "../scripts/fetch_atlases.py"
