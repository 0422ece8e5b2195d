"""A detector's bundle applied to a BIDS dataset: every PET with an MRI is judged beside controls'."""

from mri2pet.bundles.manifest import identity
from mri2pet.config.applied import STUDY as PEOPLE
from mri2pet.models.registry import symbol_of

TRAINED = {SYSTEMS[0]: {}}
LABEL = "".join(filter(str.isalnum, MANIFEST["model"]))
MADE = f"{RESULTS}/pet/{VISIT}/pet/{NAME}"
JUDGED = f"{MADE}_{SPACES['anomaly'].entities}_trc-{MANIFEST['tracer']}_desc-{LABEL}"
JUDGED_T1 = f"{MADE}_space-T1w_trc-{MANIFEST['tracer']}_desc-{LABEL}"
# Of each image beside the clusters in MNI152: its file without its ending, and what it shows.
IMAGES = {
    "score": (f"{JUDGED}_score", "how unlike controls each voxel is"),
    "clusters_t1": (f"{JUDGED_T1}_dseg", "ranked clusters, on the grid of the T1"),
}


def folds_of(system):
    """Return the folds of the detector."""
    return list(range(len(MANIFEST["folds"])))


def each_judged(pattern):
    """Return an input function: `pattern` for every visit with a PET."""
    return each_visit(pattern, "anomaly", kind="paired")


rule judge_person:
    input:
        bundle=BUNDLE,
        pet=rules.resample_pet_anomaly.output.image.replace("{tracer}", MANIFEST["tracer"]),
        seen=rules.resample_pet_anomaly.output.seen.replace("{tracer}", MANIFEST["tracer"]),
        sidecar=rules.resample_pet_anomaly.output.sidecar.replace("{tracer}", MANIFEST["tracer"]),
        qc=rules.qc.output.sidecar,
        t1w=f"{BIDS_T1W}.nii.gz",
        to_acpc=rules.acpc.output.transform,
        affine=rules.register_mri.output.transform,
        warp=rules.warp_mri.output.warp,
    output:
        **{name: f"{stem}.nii.gz" for name, (stem, _) in IMAGES.items()},
        **{f"{name}_sidecar": f"{stem}.json" for name, (stem, _) in IMAGES.items()},
        clusters=f"{JUDGED}_dseg.nii.gz",
        sidecar=f"{JUDGED}_dseg.json",
        table=f"{MADE}_desc-{LABEL}_clusters.tsv",
        picture=f"{MADE}_desc-{LABEL}_clusters_qc.png",
        page=f"{RESULTS}/{NAME}.html",
    log:
        f"logs/judge_person/{NAME}.log",
    conda:
        "../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(120),
        gpu=1,
    params:
        person=told_of,
        name=lambda wildcards: NAME.format(**wildcards),
        model=MANIFEST["model"],
        identity=identity(MANIFEST),
        words={name: words for name, (_, words) in IMAGES.items()},
        limits=config["apply"]["limits"],
        code=code("judge_person.py", symbol_of(MANIFEST["network"]["name"])),
    script:
        "../../scripts/judge_person.py"


rule judge_group:
    input:
        bundle=BUNDLE,
        cohort=COHORT.format(study=PEOPLE),
        exclusions=EXCLUSIONS.format(study=PEOPLE),
        sidecars=each_judged(rules.judge_person.output.sidecar),
        tables=each_judged(rules.judge_person.output.table),
        pages=each_judged(rules.judge_person.output.page),
    output:
        page=f"{RESULTS}/index.html",
        people=f"{RESULTS}/people.tsv",
        clusters=f"{RESULTS}/clusters.tsv",
        excluded=f"{RESULTS}/excluded_scans.tsv",
        description=f"{RESULTS}/pet/dataset_description.json",
    log:
        "logs/judge_group/judge_group.log",
    localrule: True
    conda:
        "../../../envs/torch.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        model=MANIFEST["model"],
        identity=identity(MANIFEST),
        code=code("judge_group.py"),
    script:
        "../../scripts/judge_group.py"
