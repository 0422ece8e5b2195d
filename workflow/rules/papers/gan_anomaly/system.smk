"""GAN-made PET for anomaly detection: its models, and what its rules share (parts A2 to A8).

Models are trained and synthesise by the rules of all systems.
"""

from mri2pet.config.gan_anomaly import configuration, training_sets

GANS = ENTRIES["gan_anomaly"]  # name to entry
GAN_LABELS = {model: entry["label"] for model, entry in GANS.items()}
GAN_FOLDS = folds_of("gan_anomaly")
GAN_METHODS = [*GANS, *untrained("gan_anomaly")]
GAN_PET = "results/gan_anomaly/synthesis/{model}/fold-{fold}"
EXAMPLE = {model: GAN_LABELS[model] for model in config["gan_anomaly"]["example"]}


include: "image_quality.smk"
include: "detector.smk"
include: "injection.smk"
