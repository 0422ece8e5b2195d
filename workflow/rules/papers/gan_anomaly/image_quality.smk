rule fetch_lpips:
    input:
        packages=ancient(source_file("resources/lpips.tsv")),
    output:
        "resources/lpips/{network}.npz",
    log:
        "logs/fetch_lpips/{network}.log",
    wildcard_constraints:
        network="alexnet|vgg16",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(20),
    params:
        pins=Path(source_file("resources/lpips.tsv")).read_text(),  # its content, not its time stamp
        code=code("fetch_lpips.py"),
    script:
        "../../../scripts/fetch_lpips.py"


# All models in one job: it takes less time than its start.
rule lpips:
    input:
        visits=expand(f"{GAN_PET}/visits.tsv", model=GAN_METHODS, fold=GAN_FOLDS),
        synthetic=expand(f"{GAN_PET}/pet.npy", model=GAN_METHODS, fold=GAN_FOLDS),
        real="results/datasets/anomaly/pet.npy",
        seen="results/datasets/anomaly/seen.npy",
        mask="results/datasets/anomaly/mask.npy",
        weights=f"resources/lpips/{config['gan_anomaly']['lpips']}.npz",
    output:
        expand(
            "results/gan_anomaly/lpips/{model}/fold-{fold}.tsv", model=GAN_METHODS, fold=GAN_FOLDS
        ),
    log:
        "logs/lpips/gan_anomaly.log",
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(4000),
        runtime=more(120),
    params:
        folds=[fold for _ in GAN_METHODS for fold in GAN_FOLDS],
        code=code("lpips.py"),
    script:
        "../../../scripts/lpips.py"


rule gan_anomaly_table1:
    input:
        metrics=expand(
            "results/gan_anomaly/metrics/{model}/fold-{fold}.tsv",
            model=GAN_METHODS,
            fold=GAN_FOLDS,
        ),
        lpips=rules.lpips.output,
        repeated=repeated_metrics("gan_anomaly", GANS),
        histories=histories("gan_anomaly", GANS),
        published=source_file("resources/published/gan_anomaly.tsv"),
    output:
        table=report(
            "results/gan_anomaly/tables/table1.tsv",
            caption="../../../report/gan_anomaly_table1.rst",
            category="GAN-made PET for anomaly detection",
            labels={"table": "1", "content": "image quality"},
        ),
        tests=report(
            "results/gan_anomaly/tables/table1_tests.tsv",
            caption="../../../report/gan_anomaly_tests.rst",
            category="GAN-made PET for anomaly detection",
            labels={"table": "1", "content": "Wilcoxon tests"},
        ),
    log:
        "logs/gan_anomaly_table1/table1.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        models={model: configuration(entry) for model, entry in GANS.items()},
        starts=starts("gan_anomaly"),
        code=code("configuration_table.py"),
    script:
        "../../../scripts/configuration_table.py"


rule gan_anomaly_example:
    input:
        metrics=expand(
            "results/gan_anomaly/metrics/{model}/fold-{fold}.tsv", model=EXAMPLE, fold=GAN_FOLDS
        ),
        synthetic=expand(f"{GAN_PET}/pet.npy", model=EXAMPLE, fold=GAN_FOLDS),
        visits=expand(f"{GAN_PET}/visits.tsv", model=EXAMPLE, fold=GAN_FOLDS),
        dataset="results/datasets/anomaly/visits.tsv",
        description="results/datasets/anomaly/dataset.json",
        mri="results/datasets/anomaly/mri.npy",
        real="results/datasets/anomaly/pet.npy",
        seen="results/datasets/anomaly/seen.npy",
        mask="results/datasets/anomaly/mask.npy",
    output:
        report(
            "results/gan_anomaly/figures/example.png",
            caption="../../../report/gan_anomaly_example.rst",
            category="GAN-made PET for anomaly detection",
            labels={"figure": "2", "content": "one control"},
        ),
    log:
        "logs/gan_anomaly_example/example.log",
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        labels=EXAMPLE,
        note=simulated_note("gan_anomaly"),
        code=code("figure_example.py"),
    script:
        "../../../scripts/figure_example.py"


SHOWN.setdefault("gan_anomaly", []).extend(
    [
        rules.gan_anomaly_table1.output.table,
        rules.gan_anomaly_table1.output.tests,
        "results/gan_anomaly/tables/differences.tsv",
        "results/gan_anomaly/figures/example.png",
        *expand("results/gan_anomaly/figures/curves_{model}.png", model=GANS),
        *(["results/gan_anomaly/tables/coverage.tsv"] if "gan_anomaly" in INTERVAL_SYSTEMS else []),
    ]
)
