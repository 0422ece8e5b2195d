from mri2pet.simulation.people import plan_people

# A person's parameters follow from the seed and the person's number: a larger cohort simulates the
# new people alone.
PEOPLE = (
    {person.ptid: person for person in plan_people(config["simulation"], config["seed"])}
    if SIMULATED
    else {}
)


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


rule simulate_tables:
    output:
        collection="results/simulated/ADNI/collection.csv",
        adnimerge="results/simulated/ADNI/ADNIMERGE.csv",
    log:
        "logs/simulate_tables/simulate_tables.log",
    localrule: True
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        seed=config["seed"],
        people={
            key: config["simulation"][key]
            for key in ("groups", "mri_only", "paired", "second_visits")
        },
        pet_frames=config["simulation"].get("pet_frames", 1),
        code=code("simulate_tables.py"),
    script:
        "../../scripts/simulate_tables.py"


rule simulate_subject:
    input:
        **TEMPLATE_FILES,
    output:
        raw=directory("results/simulated/ADNI/{ptid}"),
        truth=directory("results/simulated/truth/{ptid}"),
    log:
        "logs/simulate_subject/{ptid}.log",
    wildcard_constraints:
        ptid=r"\d{3}_S_\d{4}",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        person=lambda wildcards: PEOPLE[wildcards.ptid].as_dict(),
        scanner={
            "mri_voxel_mm": config["simulation"]["mri_voxel_mm"],
            "pet_frames": config["simulation"].get("pet_frames", 1),
            "pet_voxel_mm": config["simulation"]["pet_voxel_mm"],
        },
        code=code("simulate_subject.py"),
    script:
        "../../scripts/simulate_subject.py"
