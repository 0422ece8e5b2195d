"""Detectors that others can use: made of those alone that the configuration names."""


def detector_about(wildcards):
    """Return what the configuration says of a detector, for its bundle."""
    study, name = STUDIES[STUDY["gan_anomaly"]], wildcards.detector
    licence = config["studies"][study.name].get("licence")
    return {
        "system": "gan_anomaly",
        "model": name,
        "label": DETECTOR_LABELS[name],
        "preproc": config["preproc"],
        "tracer": TRACERS[study.name],
        "space": {
            "name": "anomaly",
            "entities": SPACES["anomaly"].entities,
            **grid_setting("gan_anomaly"),
        },
        "study": {
            "name": study.name,
            "simulated": study.simulated,
            "licence": licence or ("simulated people" if study.simulated else "not stated"),
        },
        "network": DETECTOR["encoder"]["network"],
        "svm": DETECTOR["svm"],
        "scores": scores_of(name),
        "clusters": DETECTOR["clusters"],
        "direction": DIRECTIONS[direction_of(name)],
        "added": added_of(wildcards),
        "splits": DETECTOR["splits"],
    }


rule detector_bundle:
    input:
        **{
            name: f"results/datasets/anomaly/{name}.npy"
            for name in ("pet", "seen", "mask", "atlas")
        },
        visits="results/datasets/anomaly/visits.tsv",
        folds="results/datasets/anomaly/folds.tsv",
        description="results/datasets/anomaly/dataset.json",
        weights=rules.train_encoders.output.weights,
        synthetic=synthetic_of("pet.npy"),
        synthetic_visits=synthetic_of("visits.tsv"),
        scored=rules.score_people.output.visits,
        decisions=rules.score_people.output.decisions,
        detection=rules.detection_table.output.table,
        sidecars=each_visit(f"{BIDS_T1W}.json", "anomaly", kind="paired"),
        quality=each_visit(f"{ANAT}_qc.json", "anomaly", kind="paired"),
        regions="resources/atlases/aal.tsv",
        templates=[TEMPLATE, TEMPLATE_BRAIN],
    output:
        directory("results/gan_anomaly/detector_bundles/{detector}"),
    log:
        "logs/detector_bundle/{detector}.log",
    wildcard_constraints:
        detector="|".join(DETECTORS),
    conda:
        "../../../../envs/torch.yaml"
    resources:
        mem_mb=more(8000),
        runtime=more(30),
    params:
        about=detector_about,
        root=source_file("."),
        code=lambda wildcards: code("detector_bundle.py"),
    script:
        "../../../scripts/detector_bundle.py"


DETECTOR_BUNDLES = [f"results/gan_anomaly/detector_bundles/{name}" for name in DETECTOR["bundles"]]
