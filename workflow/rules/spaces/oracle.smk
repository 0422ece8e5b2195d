# The best PET that a simulated visit's MRI can tell, in every space with PET of a simulated study.

ORACLE = f"results/simulated/oracle/{VISIT}/pet/{NAME}"
ORACLE_SPACES = [
    space
    for space in USED_SPACES
    if "pet" in PACKED[space]["arrays"] and STUDIES[space_study(space)].simulated
]
# Of a space: what its rule needs beside the rest, the sidecar of the real PET, and settings.
ORACLE_NEEDS = {}


def oracle_file(space, ending):
    """Return the pattern of a file of the best PET in a space."""
    tracer = TRACERS[space_study(space)]
    return f"{ORACLE}_{SPACES[space].entities}_trc-{tracer}_desc-oracle_pet.{ending}"


def if_paired(pattern):
    """Return an input function: `pattern` for a visit with a PET, nothing for one without."""

    def path(wildcards):
        row = visit_row(wildcards)
        return pattern.format(**row) if row["kind"] == "paired" else []

    return path


def truth_of(wildcards):
    """Return what a rule makes of a visit's truth, and the folder of the visit in it."""
    return TRUTHS[wildcards.subject, wildcards.visit]


def oracle_files(space):
    """Return an input function: the best PET of the visits that a space's models synthesise."""

    def paths(_):
        rows = cohort(space_study(space)).values()
        asked = [row for row in rows if row["role"] != "patient"]
        return [oracle_file(space, "nii.gz").format(**row) for row in asked]

    return paths


if "linear" in ORACLE_SPACES:
    ORACLE_NEEDS["linear"] = {
        "input": {
            "mri_sidecar": rules.resample_mri.output.sidecar,
            "atlas": "resources/atlases/aal.nii.gz",
        },
        "judged": rules.resample_pet.output.sidecar,
        "params": {
            "reference": config["preproc"]["pet_reference"],
            "ceiling": config["preproc"]["pet_ceiling"],
        },
    }

if "nonlinear" in ORACLE_SPACES:
    ORACLE_NEEDS["nonlinear"] = {
        "input": {
            "mri_sidecar": rules.warp_mri.output.sidecar,
            "warp": rules.warp_mri.output.warp,
            "linear": oracle_file("linear", "json"),
        },
        "judged": rules.resample_pet.output.sidecar,
        "params": {
            "grid": config["dual_glow"]["grid"],
            "ceiling": config["preproc"]["pet_ceiling"],
        },
    }

if "anomaly" in ORACLE_SPACES:
    ORACLE_NEEDS["anomaly"] = {
        "input": {
            "mri_sidecar": rules.resample_anomaly.output.sidecar,
            "warp": rules.warp_mri.output.warp,
            "image": rules.resample_anomaly.output.image,
        },
        "judged": rules.resample_pet_anomaly.output.sidecar,
        "params": {},
    }


for space, needs in ORACLE_NEEDS.items():

    rule:
        name:
            f"oracle_{space}"
        input:
            **TEMPLATE_FILES,
            **needs["input"],
            truth=lambda wildcards: truth_of(wildcards)[0],
            rigid=if_paired(f"{PET_TO_ACPC}.txt"),
            pet_sidecar=if_paired(needs["judged"]),
            to_acpc=rules.acpc.output.transform,
            affine=rules.register_mri.output.transform,
            brain=TEMPLATE_BRAIN,
        output:
            image=oracle_file(space, "nii.gz"),
            sidecar=oracle_file(space, "json"),
        log:
            f"logs/oracle_{space}/{NAME}.log",
        group:
            "visit"
        conda:
            "../../../envs/imaging.yaml"
        resources:
            mem_mb=more(2000),
            runtime=more(10),
        params:
            **needs["params"],
            space=space,
            visit=lambda wildcards: truth_of(wildcards)[1],
            voxel_mm=config["studies"][space_study(space)]["simulation"]["pet_voxel_mm"],
            code=code("oracle_pet.py"),
        script:
            "../../scripts/oracle_pet.py"


if ORACLE_SPACES:

    use rule describe_preproc as describe_oracle with:
        output:
            description="results/simulated/oracle/dataset_description.json",
        log:
            "logs/describe_preproc/describe_oracle.log",
        localrule: True
        params:
            name="The best PET that the MRI of simulated people can tell",
            code=code("describe_preproc.py"),
