"""GLA-GAN: its models, methods and groups, and what its rules share."""

from mri2pet.config.ablations import FIGURES, figure_labels
from mri2pet.config.gla_gan import three_way_groups

MODELS = list(config["gla_gan"]["models"])
COMPARED = {figure: figure_labels(config["gla_gan"], figure) for figure in FIGURES}
ABLATIONS = [figure for figure in FIGURES if COMPARED[figure]]
FOLDS = folds_of("gla_gan")
METHODS = [*WITHOUT_PET, *untrained("gla_gan"), *MODELS]  # of every table of diagnosis
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


def predictions_of(kind, dataset):
    """Return the predictions of all methods on a dataset, of a kind (`diagnosis`, `three_way`).

    Real PET leaves out the visits without one, so that on Complete it learns from, and is tested on,
    just those of Paired.
    """
    folder = f"results/gla_gan/{kind}"
    return [
        *expand(f"{folder}/{dataset}/{{method}}/fold-{{fold}}.tsv", method=METHODS, fold=FOLDS),
        *expand(f"{folder}/paired/{REAL_PET}/fold-{{fold}}.tsv", fold=FOLDS),
    ]


include: "diagnosis.smk"
include: "tables.smk"
include: "ablations.smk"
include: "three_way.smk"


if CROSS_FITTED["gla_gan"]:

    include: "cross_fitted.smk"


HARMONISED = config["gla_gan"]["diagnosis"].get("harmonise") is not None


if HARMONISED:

    include: "harmonised.smk"


if config["gla_gan"]["diagnosis"].get("scaling") is not None:

    include: "scaling.smk"


include: "interpretation.smk"
