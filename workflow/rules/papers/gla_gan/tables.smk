rule table1:
    input:
        metrics=expand(
            "results/gla_gan/metrics/{model}/fold-{fold}.tsv",
            model=[*MODELS, *untrained("gla_gan")],
            fold=FOLDS,
        ),
        repeated=repeated_metrics("gla_gan", MODELS),
        histories=histories("gla_gan", MODELS),
        published=source_file("resources/published/gla_gan.tsv"),
    output:
        report(
            "results/gla_gan/tables/table1.tsv",
            caption="../../../report/table1.rst",
            category="Tables",
            labels={"table": "I", "content": "image quality"},
        ),
    log:
        "logs/tables/table1.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("image_table.py"),
        table="I",
        system="gla_gan",
        groups=TRAINING_GROUPS,
        models=MODELS,
        starts=starts("gla_gan"),
    script:
        "../../../scripts/image_table.py"


rule table2:
    input:
        predictions=predictions_of("diagnosis", "paired"),
        published=source_file("resources/published/gla_gan.tsv"),
    output:
        report(
            "results/gla_gan/tables/table2.tsv",
            caption="../../../report/table2.rst",
            category="Tables",
            labels={"table": "II", "content": "diagnosis, Paired"},
        ),
    log:
        "logs/tables/table2.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("diagnosis_table.py"),
        table="II",
        dataset="Paired",
        positive=config["gla_gan"]["diagnosis"]["positive"],
        models=MODELS,
    script:
        "../../../scripts/diagnosis_table.py"


use rule table2 as table3 with:
    input:
        predictions=predictions_of("diagnosis", "complete"),
        published=source_file("resources/published/gla_gan.tsv"),
    output:
        report(
            "results/gla_gan/tables/table3.tsv",
            caption="../../../report/table3.rst",
            category="Tables",
            labels={"table": "III", "content": "diagnosis, Complete"},
        ),
    log:
        "logs/tables/table3.log",
    localrule: True
    params:
        code=code("diagnosis_table.py"),
        table="III",
        dataset="Complete",
        positive=config["gla_gan"]["diagnosis"]["positive"],
        models=MODELS,
