"""GLA-GAN: its models, methods and groups, and what its rules share."""

from mri2pet.config.ablations import FIGURES, figure_labels
from mri2pet.config.gla_gan import three_way_groups

MODELS = list(config["gla_gan"]["models"])
COMPARED = {figure: figure_labels(config["gla_gan"], figure) for figure in FIGURES}
ABLATIONS = [figure for figure in FIGURES if COMPARED[figure]]
FOLDS = folds_of("gla_gan")
METHODS = {
    "paired": ["real_pet", *untrained("gla_gan"), *MODELS],
    "complete": ["only_mri", "real_pet", *untrained("gla_gan"), *MODELS],
}
LABELS = {model: ENTRIES["gla_gan"][model]["label"] for model in MODELS}
TRAINING_GROUPS = config["gla_gan"].get("training_groups", [])
TUNING = {
    key: value
    for key, value in config["gla_gan"]["diagnosis"].items()
    if key in ("C", "gamma", "inner_folds")
}
THREE_WAY = three_way_groups(config)
DIAGNOSED = [config["gla_gan"]["diagnosis"][role] for role in ("positive", "negative")]
SECTION_OPTIONS["gla_gan"] = {
    "compared": {figure: COMPARED[figure] for figure in ABLATIONS},
    "groups": DIAGNOSED,
}


include: "diagnosis.smk"
include: "tables.smk"
include: "ablations.smk"
include: "three_way.smk"
include: "interpretation.smk"
