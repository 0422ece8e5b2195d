"""The simulated IXI: T1, T2 and PD of healthy people, under IXI's own names."""

from mri2pet.simulation.ixi_people import plan_ixi, planned_files

IXI_STUDY = STUDIES[SIMULATIONS["ixi"]]
IXI_SIMULATION = config["studies"][IXI_STUDY.name]["simulation"]
IXI_PLAN = plan_ixi(IXI_SIMULATION["people"], config["seed"])
IXI_NAMES = {
    name: person for person, name in IXI_PLAN
}  # the part of the files' names to the person
IXI_T1 = IXI_SIMULATION["t1_voxel_mm"] is not None
READ_INPUTS[IXI_STUDY.name] = {
    "tables": [f"{IXI_STUDY.raw}/IXI.csv"],
    "listing": planned_files(sorted(IXI_NAMES), IXI_T1),
}


rule simulate_ixi_table:
    output:
        f"{IXI_STUDY.raw}/IXI.csv",
    log:
        "logs/simulate_ixi_table/simulate_ixi_table.log",
    localrule: True
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        people=IXI_SIMULATION["people"],
        seed=config["seed"],
        code=code("simulate_ixi_table.py"),
    script:
        "../../scripts/simulate_ixi_table.py"


rule simulate_ixi:
    input:
        **TEMPLATE_FILES,
        t2="resources/atlases/anatomy_t2.nii.gz",
    output:
        t2=f"{IXI_STUDY.raw}/IXI-T2/{{ixi_name}}-T2.nii.gz",
        pd=f"{IXI_STUDY.raw}/IXI-PD/{{ixi_name}}-PD.nii.gz",
        t1=[f"{IXI_STUDY.raw}/IXI-T1/{{ixi_name}}-T1.nii.gz"] if IXI_T1 else [],
        truth="results/simulated/truth/IXI/{ixi_name}-tissue.nii.gz",
    log:
        "logs/simulate_ixi/{ixi_name}.log",
    wildcard_constraints:
        ixi_name=r"IXI\d{3}-[A-Za-z]+-\d{4}",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        person=lambda wildcards: IXI_NAMES[wildcards.ixi_name].as_dict(),
        scanner={key: IXI_SIMULATION[key] for key in ("t1_voxel_mm", "voxel_mm")},
        code=code("simulate_ixi.py"),
    script:
        "../../scripts/simulate_ixi.py"
