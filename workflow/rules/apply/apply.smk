"""A bundle applied to the T1s of a folder: each through the rules of preprocessing, then its PET."""

from mri2pet.bundles.manifest import identity
from mri2pet.config.applied import STUDY as PEOPLE
from mri2pet.models.registry import symbol_of

SYSTEM = SYSTEMS[0]
TRAINED = {SYSTEM: {MANIFEST["model"]: MANIFEST["entry"]}}
APPLIED_SPACE = SPACES[SPACE[SYSTEM]]
LABEL = "".join(filter(str.isalnum, MANIFEST["model"]))
MADE = f"{RESULTS}/pet/{VISIT}/pet/{NAME}"
IN_MNI = f"{MADE}_{APPLIED_SPACE.entities}_trc-{MANIFEST['tracer']}_desc-{LABEL}"
ON_T1 = f"{MADE}_space-T1w_trc-{MANIFEST['tracer']}_desc-{LABEL}"
# Of each image beside the mean: its file without its ending, and what it shows.
IMAGES = {
    "spread": (f"{IN_MNI}spread_pet", "standard deviation over the generators"),
    "mean_t1": (f"{ON_T1}_pet", "mean over the generators, on the grid of the T1"),
    "spread_t1": (f"{ON_T1}spread_pet", "standard deviation over the generators, on that grid"),
}
if MANIFEST.get("draws"):
    IMAGES["draws"] = (f"{IN_MNI}draws_pet", "draws, as many of each generator")


def folds_of(system):
    """Return the folds of the bundle's model."""
    return list(range(len(MANIFEST["folds"])))


def maps_of_space():
    """Return the files of the maps that a model of the space can be shown, and the last sidecar."""
    if SPACE[SYSTEM] == "linear":
        return {"mri": rules.resample_mri.output.model, **rules.segment.output}, rules.qc.output
    if SPACE[SYSTEM] == "nonlinear":
        made = rules.resample_nonlinear.output
        return {"mri": made.model, **made}, made
    made = rules.resample_anomaly.output
    return {"mri": made.image, **made}, made


MAPS, LAST = maps_of_space()


def each_person(pattern):
    """Return an input function: `pattern` for every visit of the people."""
    return lambda wildcards: [pattern.format(**row) for row in cohort(PEOPLE).values()]


rule apply_person:
    input:
        bundle=BUNDLE,
        maps=[MAPS[name] for name in MANIFEST["maps"]],
        sidecar=LAST.sidecar,
        qc=rules.qc.output.sidecar,
        t1w=f"{BIDS_T1W}.nii.gz",
        to_acpc=rules.acpc.output.transform,
        affine=rules.register_mri.output.transform,
        warp=rules.warp_mri.output.warp if APPLIED_SPACE.warped else [],
    output:
        **{name: f"{stem}.nii.gz" for name, (stem, _) in IMAGES.items()},
        **{f"{name}_sidecar": f"{stem}.json" for name, (stem, _) in IMAGES.items()},
        mean=f"{IN_MNI}_pet.nii.gz",
        sidecar=f"{IN_MNI}_pet.json",
        regions=f"{MADE}_seg-AAL_desc-{LABEL}_uptake.tsv",
        picture=f"{MADE}_desc-{LABEL}_t1_qc.png",
        heat=f"{MADE}_desc-{LABEL}_pet_qc.png",
        page=f"{RESULTS}/{NAME}.html",
    log:
        f"logs/apply_person/{NAME}.log",
    conda:
        "../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(6000),
        runtime=more(60),
        gpu=1,
    params:
        person=told_of,
        name=lambda wildcards: NAME.format(**wildcards),
        model=MANIFEST["model"],
        identity=identity(MANIFEST),
        words={name: words for name, (_, words) in IMAGES.items()},
        limits=config["apply"]["limits"],
        code=code("apply_person.py", symbol_of(MANIFEST["entry"]["generator"]["name"])),
    script:
        "../../scripts/apply_person.py"


rule apply_group:
    input:
        bundle=BUNDLE,
        cohort=COHORT.format(study=PEOPLE),
        exclusions=EXCLUSIONS.format(study=PEOPLE),
        sidecars=each_person(rules.apply_person.output.sidecar),
        regions=each_person(rules.apply_person.output.regions),
        pages=each_person(rules.apply_person.output.page),
    output:
        page=f"{RESULTS}/index.html",
        people=f"{RESULTS}/people.tsv",
        regions=f"{RESULTS}/regions.tsv",
        excluded=f"{RESULTS}/excluded_scans.tsv",
        description=f"{RESULTS}/pet/dataset_description.json",
    log:
        "logs/apply_group/apply_group.log",
    localrule: True
    conda:
        "../../../envs/torch.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        model=MANIFEST["model"],
        identity=identity(MANIFEST),
        code=code("apply_group.py"),
    script:
        "../../scripts/apply_group.py"
