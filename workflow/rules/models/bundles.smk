"""A bundle of every trained model: a folder that others can use without this run."""

from mri2pet.config.systems import shown_maps


def grid_setting(system):
    """Return what sets the grid of a system's volumes; nothing in the linear space."""
    return {key: config[system][key] for key in ("grid", "voxel_mm") if key in config[system]}


def draw_settings(system, model):
    """Return how often, and how, a model draws; nothing for one that cannot."""
    drawn = model in DRAWING.get(system, ())
    asked = {**config[system].get("synthesis", {}), "seed": config["seed"]}
    return {key: asked[key] for key in ("draws", "temperature", "seed")} if drawn else {}


def trained_visits(pattern):
    """Return an input function: `pattern` for the visits that a job's system may be trained on."""

    def paths(wildcards):
        space = SPACE[wildcards.system]
        if space == "ixi":
            return each_ixi(pattern)(wildcards)
        return each_visit(pattern, space, kind="paired")(wildcards)

    return paths


def trained_sidecars(wildcards):
    """Return the JSON files in BIDS of the MRI that a job's system may be trained on."""
    shown = BIDS_T1W if wildcards.system in PET_SYSTEMS else f"results/bids/{VISIT}/anat/{NAME}_T2w"
    return trained_visits(f"{shown}.json")(wildcards)


def bundle_about(wildcards):
    """Return what the configuration says of a model, for its bundle."""
    system, model = wildcards.system, wildcards.model
    entry, study = TRAINED[system][model], STUDIES[STUDY[system]]
    licence = config["studies"][study.name].get("licence")
    healthy = ["control"] if KNOWN_SYSTEMS[system].roles else list(study.groups)[:1]
    return {
        "system": system,
        "model": model,
        "label": entry["label"],
        "entry": model_entry(system, model),
        "crop": config[system].get("crop", 0),
        "preproc": config["preproc"],
        "maps": shown_maps(entry),
        "source": array_name(system, model, "source"),
        "target": array_name(system, model, "target"),
        "tracer": TRACERS[study.name] if system in PET_SYSTEMS else "",
        "space": {
            "name": SPACE[system],
            "entities": SPACES[SPACE[system]].entities,
            **grid_setting(system),
        },
        "study": {
            "name": study.name,
            "simulated": study.simulated,
            "licence": licence or ("simulated people" if study.simulated else "not stated"),
        },
        "groups": list(study.groups),
        "training_groups": list(training_groups(wildcards)),
        "controls": healthy if system in PET_SYSTEMS else [],
        "over_folds": system in ("gla_gan", "dual_glow"),
        "draws": draw_settings(system, model),
    }


def if_pet(path):
    """Return an input function: a file for a system that makes PET; nothing for another."""
    return lambda wildcards: path(wildcards) if wildcards.system in PET_SYSTEMS else []


def if_drawn(name):
    """Return an input function: a file a fold of a model that draws; nothing for another."""
    pattern = each_fold(f"results/{{system}}/uncertainty/{{model}}/fold-{{fold}}/{name}")
    return lambda wildcards: (
        pattern(wildcards) if draw_settings(wildcards.system, wildcards.model) else []
    )


rule bundle:
    input:
        visits=dataset_file("visits.tsv"),
        description=dataset_file("dataset.json"),
        mask=dataset_file("mask.npy"),
        source=model_array("source"),
        weights=each_fold("results/{system}/models/{model}/fold-{fold}/generator.pt"),
        chosen=each_fold("results/{system}/models/{model}/fold-{fold}/chosen.json"),
        made_visits=each_fold("results/{system}/synthesis/{model}/fold-{fold}/visits.tsv"),
        made=lambda wildcards: of_folds(
            wildcards.system,
            f"synthesis/{wildcards.model}/fold-{{fold}}/{made_file(wildcards.system)}",
        ),
        metrics=lambda wildcards: of_folds(
            wildcards.system,
            "metrics/{model}/fold-{fold}.tsv",
            model=[wildcards.model, *(["mean_pet"] if wildcards.system in PET_SYSTEMS else [])],
        ),
        sidecars=trained_sidecars,
        quality=if_pet(lambda wildcards: trained_visits(f"{ANAT}_qc.json")(wildcards)),
        coverage=if_drawn("coverage.tsv"),
        calibrations=if_drawn("calibration.json"),
        atlas=if_pet(dataset_file("atlas.npy")),
        regions=if_pet(lambda wildcards: "resources/atlases/aal.tsv"),
        templates=if_pet(lambda wildcards: [TEMPLATE, TEMPLATE_BRAIN]),
    output:
        directory("results/{system}/bundles/{model}"),
    log:
        "logs/bundle/{system}/{model}.log",
    conda:
        "../../../envs/torch.yaml"
    resources:
        mem_mb=more(4000),
        runtime=more(20),
    params:
        about=bundle_about,
        root=source_file("."),
        code=lambda wildcards: code("bundle.py"),
    script:
        "../../scripts/bundle.py"


BUNDLES = [f"results/{system}/bundles/{model}" for system in SYSTEMS for model in ENTRIES[system]]


if "gan_anomaly" in SYSTEMS:

    include: ROOT / "workflow/rules/papers/gan_anomaly/detector_bundle.smk"

    BUNDLES += DETECTOR_BUNDLES
