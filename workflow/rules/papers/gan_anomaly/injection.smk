"""Lesions of known depth in held-out controls' own PET: what a detector can find at all."""

INJECTION = DETECTOR["injection"]
INJECTED = [name for name in INJECTION["detectors"] if name in DETECTORS]


rule score_injected:
    input:
        visits="results/datasets/anomaly/visits.tsv",
        folds="results/datasets/anomaly/folds.tsv",
        pet="results/datasets/anomaly/pet.npy",
        seen="results/datasets/anomaly/seen.npy",
        mask="results/datasets/anomaly/mask.npy",
        atlas="results/datasets/anomaly/atlas.npy",
        description="results/datasets/anomaly/dataset.json",
        regions="resources/atlases/aal.tsv",
        synthetic=synthetic_of("pet.npy"),
        synthetic_visits=synthetic_of("visits.tsv"),
        weights=rules.train_encoders.output.weights,
        scored=rules.score_people.output.visits,
        decisions=rules.score_people.output.decisions,
    output:
        found="results/gan_anomaly/detector/{detector}/injected.tsv",
    log:
        "logs/score_injected/{detector}.log",
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
        scores=DETECTOR["scores"],
        clusters=DETECTOR["clusters"],
        injection={key: INJECTION[key] for key in ("depths", "edge_mm", "lesions")},
        code=code("score_injected.py", symbol_of(DETECTOR["encoder"]["network"]["name"])),
    script:
        "../../../scripts/score_injected.py"


rule injection_table:
    input:
        found=expand("results/gan_anomaly/detector/{detector}/injected.tsv", detector=INJECTED),
    output:
        table=report(
            "results/gan_anomaly/tables/injection.tsv",
            caption="../../../report/anomaly_injection_table.rst",
            category="GAN anomaly",
            labels={"table": "injection", "content": "injected lesions found, by depth"},
        ),
    log:
        "logs/injection_table/injection.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        detectors=INJECTED,
        most=DETECTOR["clusters"]["most"],
        code=code("injection_table.py"),
    script:
        "../../../scripts/injection_table.py"


rule figure_injection:
    input:
        table=rules.injection_table.output.table,
    output:
        report(
            "results/gan_anomaly/figures/injection.png",
            caption="../../../report/anomaly_injection.rst",
            category="GAN anomaly",
            labels={"figure": "injection", "content": "injected lesions found, over depth"},
        ),
    log:
        "logs/figure_injection/injection.log",
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        labels={name: DETECTOR_LABELS[name] for name in INJECTED},
        lesions={name: each["label"] for name, each in INJECTION["lesions"].items()},
        note=ANOMALY_NOTE,
        code=code("figure_injection.py"),
    script:
        "../../../scripts/figure_injection.py"


if INJECTED:
    SHOWN["gan_anomaly"] += [
        "results/gan_anomaly/tables/injection.tsv",
        "results/gan_anomaly/figures/injection.png",
    ]
