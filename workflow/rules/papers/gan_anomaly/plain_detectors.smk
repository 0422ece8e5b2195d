"""Detectors without an SVM: z scores of the PET, and the autoencoder's error alone."""

DIRECTIONS = {"hypo": "low", "both": "both"}
SUBTRACTED = list(
    dict.fromkeys(entry["model"] for entry in PLAIN.values() if entry["measure"] == "difference")
)
RESTORING = list(
    dict.fromkeys(
        entry["training_set"] for entry in PLAIN.values() if entry["measure"] == "reconstruction"
    )
)


def direction_of(detector):
    """Return which deviations a detector finds; a value of the others is low where suspicious."""
    return PLAIN.get(detector, {}).get("direction", "hypo")


def scores_of(detector):
    """Return how score maps are made; a z score is by the mean and deviation of each voxel."""
    z = PLAIN.get(detector, {}).get("measure") in ("pet", "difference")
    return {**DETECTOR["scores"], **({"standardise": "voxel"} if z else {})}


rule score_plain:
    input:
        **{
            f"{people}_{name}": expand(
                f"results/gan_anomaly/synthesis/{{model}}/{part}fold-{{fold}}/{file}",
                model=SUBTRACTED,
                fold=ANOMALY_FOLDS,
            )
            for people, part in (("controls", ""), ("patients", "patients/"))
            for name, file in (("pet", "pet.npy"), ("visits", "visits.tsv"))
        },
        visits="results/datasets/anomaly/visits.tsv",
        folds="results/datasets/anomaly/folds.tsv",
        pet="results/datasets/anomaly/pet.npy",
        seen="results/datasets/anomaly/seen.npy",
        mask="results/datasets/anomaly/mask.npy",
        weights=expand(
            "results/gan_anomaly/detector/{set}/fold-{fold}/encoder.pt",
            set=RESTORING,
            fold=DETECTOR_FOLDS,
        ),
    output:
        visits=expand("results/gan_anomaly/detector/{plain}/visits.tsv", plain=PLAIN),
        decisions=expand("results/gan_anomaly/detector/{plain}/decisions.npy", plain=PLAIN),
    log:
        "logs/score_plain/plain.log",
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(1440),
        gpu=1,
    params:
        plain=PLAIN,
        subtracted=SUBTRACTED,
        restoring=RESTORING,
        generators=len(ANOMALY_FOLDS),
        held_out=len(DETECTOR_FOLDS),
        network=DETECTOR["encoder"]["network"],
        splits=DETECTOR["splits"],
        code=code("score_plain.py", symbol_of(DETECTOR["encoder"]["network"]["name"])),
    script:
        "../../../scripts/score_plain.py"
