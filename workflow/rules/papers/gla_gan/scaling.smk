"""Diagnosis and regional errors with uptake on other scales; no model is trained anew."""

from mri2pet.diagnosis.methods import SCALES

SCALING = config["gla_gan"]["diagnosis"]["scaling"]
MADE = [*untrained("gla_gan"), *MODELS]  # what makes PET


def of_made(pattern):
    """Return an input function: files of a method's PET, one a fold; none of the real PET."""
    return lambda wildcards: (
        []
        if wildcards.method in NOTHING_MADE
        else expand(f"results/gla_gan/{pattern}", method=wildcards.method, fold=FOLDS)
    )


rule scaled_diagnosis:
    input:
        visits="results/datasets/linear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        description="results/datasets/linear/dataset.json",
        atlas="results/datasets/linear/atlas.npy",
        mask="results/datasets/linear/mask.npy",
        gm="results/datasets/linear/gm.npy",
        wm="results/datasets/linear/wm.npy",
        pet="results/datasets/linear/pet.npy",
        seen="results/datasets/linear/seen.npy",
        real="results/gla_gan/features/real.tsv",
        features=of_made("features/{method}/fold-{fold}.tsv"),
        made_visits=of_made("synthesis/{method}/fold-{fold}/visits.tsv"),
        made_pet=of_made("synthesis/{method}/fold-{fold}/pet.npy"),
    output:
        predictions="results/gla_gan/scaling/{method}/predictions.tsv",
        errors="results/gla_gan/scaling/{method}/errors.tsv",
    log:
        "logs/scaled_diagnosis/{method}.log",
    wildcard_constraints:
        method="[a-z0-9_]+",
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(60),
    params:
        code=code("scaled_diagnosis.py"),
        settings=TUNING | dict(zip(("positive", "negative"), DIAGNOSED)),
        scales=SCALING.get("scales", list(SCALES)),
        fwhm_mm=SCALING.get("fwhm_mm", 6.5),
        folds=len(FOLDS),
        seed=config["seed"],
    script:
        "../../../scripts/scaled_diagnosis.py"


rule scaling_table:
    input:
        predictions=expand(
            "results/gla_gan/scaling/{method}/predictions.tsv", method=[*MADE, REAL_PET]
        ),
        errors=expand("results/gla_gan/scaling/{method}/errors.tsv", method=MADE),
    output:
        report(
            "results/gla_gan/tables/scaling.tsv",
            caption="../../../report/scaling.rst",
            category="Tables",
            labels={"table": "scaling", "content": "reference region and partial volume"},
        ),
    log:
        "logs/tables/scaling.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("scaling_table.py"),
        positive=DIAGNOSED[0],
        models=MODELS,
    script:
        "../../../scripts/scaling_table.py"
