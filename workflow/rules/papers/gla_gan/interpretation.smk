INTERPRETATION = config["gla_gan"].get("interpretation", {})
INTERPRETED = INTERPRETATION.get("model")
DISSECTION = INTERPRETATION.get("dissection", {})
INTERPOLATION = INTERPRETATION.get("interpolation", {})
INTERPRETED_WEIGHTS = f"results/gla_gan/models/{INTERPRETED}/fold-{{fold}}/generator.pt"
REAL_PET_DECISIONS = "results/gla_gan/diagnosis/paired/real_pet/fold-{fold}.tsv"


def interpreted_code(script):
    """Return the fingerprint of a script that runs the generator to be interpreted."""
    return code(script, *model_code("gla_gan", INTERPRETED)) if INTERPRETED else ""


def interpreted_generator():
    """Return the configuration of the generator to be interpreted."""
    return model_entry("gla_gan", INTERPRETED)["generator"] if INTERPRETED else {}


def interpreted_memory(rule, number=None):
    """Return the memory of a rule that runs the generator to be interpreted."""
    return synthesis_memory(rule, 4000, system="gla_gan", model=INTERPRETED, number=number)


rule dissect:
    input:
        visits="results/datasets/linear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        mri="results/datasets/linear/mri.npy",
        atlas="results/datasets/linear/atlas.npy",
        csf="results/datasets/linear/csf.npy",
        mask="results/datasets/linear/mask.npy",
        names="resources/atlases/aal.tsv",
        weights=INTERPRETED_WEIGHTS,
    output:
        regions="results/gla_gan/interpretation/dissection/fold-{fold}.tsv",
        composites="results/gla_gan/interpretation/dissection/composites_fold-{fold}.tsv",
    log:
        "logs/dissect/fold-{fold}.log",
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=interpreted_memory("dissect"),
        runtime=more(120),
        gpu=1,
    params:
        code=interpreted_code("dissect.py"),
        generator=interpreted_generator(),
        crop=config["gla_gan"]["crop"],
        positive=DIAGNOSED[0],
        negative=DIAGNOSED[1],
        top=DISSECTION.get("top"),
    script:
        "../../../scripts/dissect.py"


rule dissection_table:
    input:
        expand("results/gla_gan/interpretation/dissection/fold-{fold}.tsv", fold=FOLDS),
    output:
        report(
            "results/gla_gan/tables/dissection.tsv",
            caption="../../../report/dissection.rst",
            category="Tables",
            labels={"table": "dissection", "content": "feature maps by region"},
        ),
    log:
        "logs/tables/dissection.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        code=code("dissection_table.py"),
    script:
        "../../../scripts/dissection_table.py"


rule dissection_composites:
    input:
        expand("results/gla_gan/interpretation/dissection/composites_fold-{fold}.tsv", fold=FOLDS),
    output:
        report(
            "results/gla_gan/tables/composites.tsv",
            caption="../../../report/composites.rst",
            category="Tables",
            labels={"table": "dissection", "content": "feature maps by composite region"},
        ),
    log:
        "logs/tables/composites.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        code=code("dissection_composites.py"),
    script:
        "../../../scripts/dissection_composites.py"


rule figure_dissection:
    input:
        table="results/gla_gan/tables/dissection.tsv",
        predictions=expand(REAL_PET_DECISIONS, fold=FOLDS),
        weights=expand(INTERPRETED_WEIGHTS, fold=FOLDS),
        visits="results/datasets/linear/visits.tsv",
        mri="results/datasets/linear/mri.npy",
        atlas="results/datasets/linear/atlas.npy",
        mask="results/datasets/linear/mask.npy",
        description="results/datasets/linear/dataset.json",
    output:
        report(
            "results/gla_gan/figures/dissection.png",
            caption="../../../report/dissection.rst",
            category="Figures",
            labels={"figure": "10", "content": "feature maps by region"},
        ),
    log:
        "logs/figure_dissection/figure.log",
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=interpreted_memory("figure_dissection", number=2),
        runtime=more(20),
    params:
        code=interpreted_code("figure_dissection.py"),
        generator=interpreted_generator(),
        crop=config["gla_gan"]["crop"],
        groups=DIAGNOSED[::-1],
        rows=DISSECTION.get("rows"),
        note=simulated_note("gla_gan"),
    script:
        "../../../scripts/figure_dissection.py"


rule interpolate:
    input:
        visits="results/datasets/linear/visits.tsv",
        mri="results/datasets/linear/mri.npy",
        mask="results/datasets/linear/mask.npy",
        predictions=REAL_PET_DECISIONS,
        weights=INTERPRETED_WEIGHTS,
    output:
        pet="results/gla_gan/interpretation/interpolation/fold-{fold}.npy",
        steps="results/gla_gan/interpretation/interpolation/fold-{fold}_steps.tsv",
    log:
        "logs/interpolate/fold-{fold}.log",
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=interpreted_memory("interpolate", number=INTERPOLATION.get("steps", 0)),
        runtime=more(30),
        gpu=1,
    params:
        code=interpreted_code("interpolate.py"),
        generator=interpreted_generator(),
        crop=config["gla_gan"]["crop"],
        groups=DIAGNOSED[::-1],
        steps=INTERPOLATION.get("steps"),
    script:
        "../../../scripts/interpolate.py"


rule interpolation_table:
    input:
        visits="results/datasets/linear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        real="results/gla_gan/features/real.tsv",
        pet=expand("results/gla_gan/interpretation/interpolation/fold-{fold}.npy", fold=FOLDS),
        steps=expand(
            "results/gla_gan/interpretation/interpolation/fold-{fold}_steps.tsv", fold=FOLDS
        ),
        mri="results/datasets/linear/mri.npy",
        gm="results/datasets/linear/gm.npy",
        wm="results/datasets/linear/wm.npy",
        atlas="results/datasets/linear/atlas.npy",
        mask="results/datasets/linear/mask.npy",
        names="resources/atlases/aal.tsv",
    output:
        folds=expand("results/gla_gan/interpretation/interpolation/fold-{fold}.tsv", fold=FOLDS),
        table=report(
            "results/gla_gan/tables/interpolation.tsv",
            caption="../../../report/interpolation.rst",
            category="Tables",
            labels={"table": "interpolation", "content": "from one group to the other"},
        ),
    log:
        "logs/tables/interpolation.log",
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(30),
    params:
        code=code("interpolation_table.py"),
        settings=TUNING | dict(zip(("positive", "negative"), DIAGNOSED)),
        seed=config["seed"],
    script:
        "../../../scripts/interpolation_table.py"


rule figure_interpolation:
    input:
        table="results/gla_gan/tables/interpolation.tsv",
        steps=expand("results/gla_gan/interpretation/interpolation/fold-{fold}.npy", fold=FOLDS),
        visits="results/datasets/linear/visits.tsv",
        mri="results/datasets/linear/mri.npy",
        pet="results/datasets/linear/pet.npy",
        mask="results/datasets/linear/mask.npy",
        description="results/datasets/linear/dataset.json",
    output:
        report(
            "results/gla_gan/figures/interpolation.png",
            caption="../../../report/interpolation.rst",
            category="Figures",
            labels={"figure": "11", "content": "from one group to the other"},
        ),
    log:
        "logs/figure_interpolation/figure.log",
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        code=code("figure_interpolation.py"),
        groups=DIAGNOSED[::-1],
        note=simulated_note("gla_gan"),
    script:
        "../../../scripts/figure_interpolation.py"


SHOWN["gla_gan"] = [
    f"results/gla_gan/{path}"
    for path in [
        *expand("tables/table{number}.tsv", number=[1, 2, 3]),
        *(["tables/cross_fitted.tsv"] if CROSS_FITTED["gla_gan"] else []),
        *(["tables/harmonised.tsv"] if HARMONISED else []),
        *(
            ["tables/scaling.tsv"]
            if config["gla_gan"]["diagnosis"].get("scaling") is not None
            else []
        ),
        *expand("figures/synthesis_{group}.png", group=DIAGNOSED),
        "tables/differences.tsv",
        "tables/regional_bias.tsv",
        "figures/regional_bias.png",
        "tables/strata.tsv",
        "figures/regional_maps.png",
        *(["tables/coverage.tsv"] if "gla_gan" in INTERVAL_SYSTEMS else []),
        *expand("tables/ablation_{figure}.tsv", figure=ABLATIONS),
        *expand("figures/ablation_{figure}.png", figure=ABLATIONS),
        *(["tables/three_way.tsv", "figures/three_way.png"] if THREE_WAY else []),
        *(["tables/dissection.tsv", "figures/dissection.png"] if DISSECTION else []),
        *(["tables/composites.tsv"] if DISSECTION else []),
        *(["tables/interpolation.tsv", "figures/interpolation.png"] if INTERPOLATION else []),
        *expand("figures/curves_{model}.png", model=ENTRIES["gla_gan"]),
    ]
]
