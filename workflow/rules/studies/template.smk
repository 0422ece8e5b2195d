# The anatomy that all people of all simulated studies are made from.
TEMPLATE_FILES = {
    "about": "results/simulated/template/template.json",
    "volumes": expand(
        "results/simulated/template/{volume}.npy", volume=["t1", "tissue", "brain", "region"]
    ),
}


rule simulation_template:
    input:
        t1="resources/atlases/anatomy_t1.nii.gz",
        maps=expand(
            "resources/atlases/anatomy_{volume}.nii.gz",
            volume=["gm", "wm", "csf", "brain_mask"],
        ),
        landmarks="resources/atlases/anatomy_afids.tsv",
        atlas="resources/atlases/aal.nii.gz",
        regions="resources/atlases/aal.tsv",
    output:
        **TEMPLATE_FILES,
    log:
        "logs/simulation_template/simulation_template.log",
    localrule: True
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        code=code("simulation_template.py"),
    script:
        "../../scripts/simulation_template.py"
