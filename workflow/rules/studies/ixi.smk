"""IXI's scans, downloaded or simulated, and who is among them."""

from mri2pet.cohorts.archives import is_archive
from mri2pet.cohorts.ixi.ixi_reader import find_table
from mri2pet.simulation.ixi_people import plan_ixi

IXI = config["ixi"]
IXI_NAMES = {}  # of simulated people: their part of the files' names, to the person
if IXI_SIMULATED:
    IXI_RAW = "results/simulated/IXI"
    IXI_TABLE = f"{IXI_RAW}/IXI.csv"
    IXI_ARCHIVES = []
    IXI_PLAN = plan_ixi(IXI["simulation"]["people"], config["seed"])
    IXI_NAMES = {name: person for person, name in IXI_PLAN}
else:
    IXI_RAW = IXI["raw"].rstrip("/")
    try:
        IXI_TABLE = str(find_table(IXI_RAW))
    except InputError as error:
        raise WorkflowError(str(error)) from None
    IXI_ARCHIVES = sorted(str(path) for path in Path(IXI_RAW).rglob("*") if is_archive(path))
IXI_T1 = IXI["simulation"]["t1_voxel_mm"] is not None


rule simulate_ixi_table:
    output:
        "results/simulated/IXI/IXI.csv",
    log:
        "logs/simulate_ixi_table/simulate_ixi_table.log",
    localrule: True
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        people=IXI["simulation"]["people"],
        seed=config["seed"],
        code=code("simulate_ixi_table.py"),
    script:
        "../../scripts/simulate_ixi_table.py"


rule simulate_ixi:
    input:
        **TEMPLATE_FILES,
        t2="resources/atlases/anatomy_t2.nii.gz",
    output:
        t2="results/simulated/IXI/IXI-T2/{ixi_name}-T2.nii.gz",
        pd="results/simulated/IXI/IXI-PD/{ixi_name}-PD.nii.gz",
        t1=["results/simulated/IXI/IXI-T1/{ixi_name}-T1.nii.gz"] if IXI_T1 else [],
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
        scanner={key: IXI["simulation"][key] for key in ("t1_voxel_mm", "voxel_mm")},
        code=code("simulate_ixi.py"),
    script:
        "../../scripts/simulate_ixi.py"


checkpoint ixi_cohort:
    input:
        table=IXI_TABLE,
        archives=IXI_ARCHIVES,
    output:
        table="results/cohort/ixi.tsv",
        exclusions="results/cohort/ixi_exclusions.tsv",
    log:
        "logs/ixi_cohort/ixi_cohort.log",
    localrule: True
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(30),
    params:
        raw=IXI_RAW,
        simulated=sorted(IXI_NAMES),
        t1=IXI_T1,
        split=IXI["split"],
        seed=config["seed"],
        code=code("ixi_cohort.py"),
    script:
        "../../scripts/ixi_cohort.py"
