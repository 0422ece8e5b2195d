"""The anomaly detector, once for each set of controls it learns from (parts A6 to A8)."""

DETECTOR = config["gan_anomaly"]["detector"]
DETECTOR_FOLDS = list(range(config["gan_anomaly"]["folds"]["n"] * DETECTOR["splits"]))
# Name to label and what is learnt from beside the controls' own real PET.
DETECTORS = training_sets(config, simulated="gan_anomaly" in ORACLE_SYSTEMS)
DETECTOR_LABELS = {name: entry["label"] for name, entry in DETECTORS.items()}
PLAIN = DETECTOR["plain"]  # detectors without an SVM
ALL_DETECTORS = {**DETECTORS, **PLAIN}
ALL_LABELS = {name: entry["label"] for name, entry in ALL_DETECTORS.items()}
EXAMINED = "results/gan_anomaly/detector/{detector}"
ANOMALY_NOTE = "simulated study" if simulated_note("gan_anomaly") else ""


# Those that learn from more than the controls' own real PET, and how.
ADDED = {
    name: {key: entry[key] for key in ("synthetic", "further", "match") if key in entry}
    for name, entry in DETECTORS.items()
    if entry.get("synthetic") or entry.get("further")
}


def synthetic_files(detector, name):
    """Return a file of the PET made for controls with an MRI alone, one a fold; none without."""
    model = DETECTORS[detector].get("synthetic")
    folder = f"results/gan_anomaly/synthesis/{model}"
    return [f"{folder}/fold-{fold}/{name}" for fold in ANOMALY_FOLDS] if model else []


def synthetic_of(name):
    """Return an input function: `synthetic_files` of a job's detector."""
    return lambda wildcards: synthetic_files(wildcards.detector, name)


def added_of(wildcards):
    """Return how a detector's training set is added to; nothing for real PET alone."""
    entry = DETECTORS[wildcards.detector]
    return {key: entry[key] for key in ("further", "match") if key in entry}


rule train_encoders:
    input:
        visits="results/datasets/anomaly/visits.tsv",
        folds="results/datasets/anomaly/folds.tsv",
        pet="results/datasets/anomaly/pet.npy",
        seen="results/datasets/anomaly/seen.npy",
        mask="results/datasets/anomaly/mask.npy",
        synthetic=synthetic_of("pet.npy"),
        synthetic_visits=synthetic_of("visits.tsv"),
    output:
        weights=expand(
            "results/gan_anomaly/detector/{{detector}}/fold-{fold}/encoder.pt", fold=DETECTOR_FOLDS
        ),
        history=expand(
            "results/gan_anomaly/detector/{{detector}}/fold-{fold}/history.tsv",
            fold=DETECTOR_FOLDS,
        ),
        curve=expand(
            "results/gan_anomaly/detector/{{detector}}/fold-{fold}/curve.png", fold=DETECTOR_FOLDS
        ),
    log:
        "logs/train_encoders/{detector}.log",
    wildcard_constraints:
        detector="|".join(DETECTORS),
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(4000),
        runtime=more(1440),
        gpu=1,
    params:
        encoder=DETECTOR["encoder"],
        added=added_of,
        splits=DETECTOR["splits"],
        seed=config["seed"],
        code=code("train_encoders.py", symbol_of(DETECTOR["encoder"]["network"]["name"])),
    script:
        "../../../scripts/train_encoders.py"


rule score_people:
    input:
        visits="results/datasets/anomaly/visits.tsv",
        folds="results/datasets/anomaly/folds.tsv",
        pet="results/datasets/anomaly/pet.npy",
        seen="results/datasets/anomaly/seen.npy",
        mask="results/datasets/anomaly/mask.npy",
        synthetic=synthetic_of("pet.npy"),
        synthetic_visits=synthetic_of("visits.tsv"),
        weights=rules.train_encoders.output.weights,
    output:
        visits="results/gan_anomaly/detector/{detector}/visits.tsv",
        decisions="results/gan_anomaly/detector/{detector}/decisions.npy",
    log:
        "logs/score_people/{detector}.log",
    wildcard_constraints:
        detector="|".join(DETECTORS),
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(1440),
        gpu=1,
    params:
        network=DETECTOR["encoder"]["network"],
        svm=DETECTOR["svm"],
        added=added_of,
        splits=DETECTOR["splits"],
        code=code("score_people.py", symbol_of(DETECTOR["encoder"]["network"]["name"])),
    script:
        "../../../scripts/score_people.py"


include: "plain_detectors.smk"


rule find_clusters:
    input:
        visits="results/gan_anomaly/detector/{detector}/visits.tsv",
        decisions="results/gan_anomaly/detector/{detector}/decisions.npy",
        folds="results/datasets/anomaly/folds.tsv",
        atlas="results/datasets/anomaly/atlas.npy",
        seen="results/datasets/anomaly/seen.npy",
        mask="results/datasets/anomaly/mask.npy",
        lesion="results/datasets/anomaly/lesion.npy",
        description="results/datasets/anomaly/dataset.json",
    output:
        scores="results/gan_anomaly/detector/{detector}/scores.npy",
        ranks="results/gan_anomaly/detector/{detector}/ranks.npy",
        clusters="results/gan_anomaly/detector/{detector}/clusters.tsv",
        patients="results/gan_anomaly/detector/{detector}/patients.tsv",
        controls="results/gan_anomaly/detector/{detector}/controls.tsv",
        chance="results/gan_anomaly/detector/{detector}/chance.tsv",
    log:
        "logs/find_clusters/{detector}.log",
    wildcard_constraints:
        detector="|".join(ALL_DETECTORS),
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(6000),
        runtime=more(60),
    params:
        scores=lambda wildcards: scores_of(wildcards.detector),
        clusters=DETECTOR["clusters"],
        splits=DETECTOR["splits"],
        seed=config["seed"],
        direction=lambda wildcards: DIRECTIONS[direction_of(wildcards.detector)],
        code=code("find_clusters.py"),
    script:
        "../../../scripts/find_clusters.py"


# How the PET that each set adds differs between people, beside real PET.
rule spread_table:
    input:
        visits="results/datasets/anomaly/visits.tsv",
        folds="results/datasets/anomaly/folds.tsv",
        pet="results/datasets/anomaly/pet.npy",
        seen="results/datasets/anomaly/seen.npy",
        mask="results/datasets/anomaly/mask.npy",
        synthetic=[path for name in ADDED for path in synthetic_files(name, "pet.npy")],
        synthetic_visits=[path for name in ADDED for path in synthetic_files(name, "visits.tsv")],
    output:
        table=report(
            "results/gan_anomaly/tables/spread.tsv",
            caption="../../../report/anomaly_spread_table.rst",
            category="GAN anomaly",
            labels={"table": "spread", "content": "differences between people, by training set"},
        ),
    log:
        "logs/spread_table/spread.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(4000),
        runtime=more(30),
    params:
        detectors=ADDED,
        code=code("spread_table.py"),
    script:
        "../../../scripts/spread_table.py"


rule detection_table:
    input:
        **{
            name: expand(f"{EXAMINED}/{name}.tsv", detector=ALL_DETECTORS)
            for name in ("patients", "controls", "clusters", "chance")
        },
        published=source_file("resources/published/gan_anomaly.tsv"),
    output:
        table=report(
            "results/gan_anomaly/tables/detection.tsv",
            caption="../../../report/anomaly_detection_table.rst",
            category="GAN anomaly",
            labels={"table": "detection", "content": "sensitivity by detector, beside chance"},
        ),
        tests="results/gan_anomaly/tables/detection_tests.tsv",
        curve="results/gan_anomaly/tables/detection_curve.tsv",
        free="results/gan_anomaly/tables/free_response.tsv",
    log:
        "logs/detection_table/detection.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        detectors=list(ALL_DETECTORS),
        code=code("detection_table.py"),
    script:
        "../../../scripts/detection_table.py"


rule figure_detection:
    input:
        curve=rules.detection_table.output.curve,
        free=rules.detection_table.output.free,
    output:
        curve=report(
            "results/gan_anomaly/figures/detection.png",
            caption="../../../report/anomaly_detection.rst",
            category="GAN anomaly",
            labels={"figure": "4", "content": "detection curves"},
        ),
        free=report(
            "results/gan_anomaly/figures/free_response.png",
            caption="../../../report/anomaly_free_response.rst",
            category="GAN anomaly",
            labels={"figure": "free response", "content": "sensitivity over false clusters"},
        ),
    log:
        "logs/figure_detection/detection.log",
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        labels=ALL_LABELS,
        note=ANOMALY_NOTE,
        code=code("figure_detection.py"),
    script:
        "../../../scripts/figure_detection.py"


rule figure_clusters:
    input:
        visits=expand("results/gan_anomaly/detector/{detector}/visits.tsv", detector=DETECTORS),
        ranks=expand("results/gan_anomaly/detector/{detector}/ranks.npy", detector=DETECTORS),
        patients=expand("results/gan_anomaly/detector/{detector}/patients.tsv", detector=DETECTORS),
        mri="results/datasets/anomaly/mri.npy",
        lesion="results/datasets/anomaly/lesion.npy",
        mask="results/datasets/anomaly/mask.npy",
        description="results/datasets/anomaly/dataset.json",
    output:
        report(
            "results/gan_anomaly/figures/clusters.png",
            caption="../../../report/anomaly_clusters.rst",
            category="GAN anomaly",
            labels={"figure": "3", "content": "clusters over the MRI"},
        ),
    log:
        "logs/figure_clusters/clusters.log",
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        labels=DETECTOR_LABELS,
        note=ANOMALY_NOTE,
        code=code("figure_clusters.py"),
    script:
        "../../../scripts/figure_clusters.py"


FURTHER_LABELS["gan_anomaly"] = ALL_LABELS
SHOWN["gan_anomaly"] = [
    *SHOWN.get("gan_anomaly", []),
    "results/gan_anomaly/tables/detection.tsv",
    *(["results/gan_anomaly/tables/spread.tsv"] if ADDED else []),
    "results/gan_anomaly/tables/detection_tests.tsv",
    "results/gan_anomaly/figures/detection.png",
    "results/gan_anomaly/figures/free_response.png",
    "results/gan_anomaly/figures/clusters.png",
    *expand(
        "results/gan_anomaly/detector/{detector}/fold-{fold}/curve.png",
        detector=DETECTORS,
        fold=ANOMALY_FOLDS[:1],
    ),
]
