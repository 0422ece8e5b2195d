"""The contest: what other groups need of a run, and the tables with the row of what they hand in."""

from mri2pet.synthesis.handed_in import files_of, method_of


def no_submission(wildcards):
    """Refuse to judge nothing."""
    raise WorkflowError(
        "submission: name a folder of synthetic PET, in a run with the system gla_gan: snakemake "
        "--cores 2 judge --config submission=DIR (docs/contest.md)"
    )


if "gla_gan" in SYSTEMS:

    rule contest_kit:
        input:
            visits="results/datasets/linear/visits.tsv",
            folds="results/datasets/linear/folds.tsv",
            description="results/datasets/linear/dataset.json",
            mask="results/datasets/linear/mask.npy",
        output:
            people="results/contest/people.tsv",
            grid="results/contest/grid.json",
            mask="results/contest/mask.nii.gz",
        log:
            "logs/contest_kit/contest_kit.log",
        localrule: True
        conda:
            "../../../../envs/stats.yaml"
        resources:
            mem_mb=more(1000),
            runtime=more(10),
        params:
            seed=config["seed"],
            simulated=STUDIES[STUDY["gla_gan"]].simulated,
            code=code("contest_kit.py"),
        script:
            "../../../scripts/contest_kit.py"


if SUBMISSION and "gla_gan" in SYSTEMS:

    try:
        HANDED_IN, GIVEN_FILES = method_of(SUBMISSION), files_of(SUBMISSION)
    except InputError as error:
        raise WorkflowError(str(error)) from None

    JUDGED = f"results/contest/{HANDED_IN.removeprefix('handed_in_')}"
    BESIDE = [BESIDE] if isinstance(BESIDE, str) else BESIDE

    if UNKNOWN := sorted(set(BESIDE) - set(MODELS)):
        raise WorkflowError(
            f"beside: gla_gan.models has no {', '.join(UNKNOWN)}; there are {', '.join(MODELS)}"
        )

    def stands_beside(name):
        """Say whether a model of the run is compared with what was handed in."""
        return name in BESIDE or ENTRIES["gla_gan"][name]["recipe"] == "local_regression"

    COMPARED_MODELS = [HANDED_IN, *filter(stands_beside, MODELS)]
    JUDGED_LABELS = labels_of("gla_gan") | {HANDED_IN: Path(SUBMISSION).resolve().name}
    JUDGED_METHODS = [*untrained("gla_gan"), *COMPARED_MODELS]

    def judged_predictions(dataset, kind="diagnosis"):
        """Return the predictions of all methods compared on a dataset, as `predictions_of`."""
        folder, methods = f"results/gla_gan/{kind}", [*WITHOUT_PET, *JUDGED_METHODS]
        return [
            *expand(f"{folder}/{dataset}/{{method}}/fold-{{fold}}.tsv", method=methods, fold=FOLDS),
            *expand(f"{folder}/paired/{REAL_PET}/fold-{{fold}}.tsv", fold=FOLDS),
        ]

    ruleorder: handed_in > synthesise

    rule handed_in:
        input:
            visits="results/datasets/linear/visits.tsv",
            folds="results/datasets/linear/folds.tsv",
            mask="results/datasets/linear/mask.npy",
            description="results/datasets/linear/dataset.json",
            given=GIVEN_FILES,
        output:
            made=of_folds("gla_gan", f"synthesis/{HANDED_IN}/fold-{{fold}}/pet.npy"),
            visits=of_folds("gla_gan", f"synthesis/{HANDED_IN}/fold-{{fold}}/visits.tsv"),
            nifti=directory(of_folds("gla_gan", f"synthesis/{HANDED_IN}/fold-{{fold}}/nifti")),
        log:
            f"logs/handed_in/{HANDED_IN}.log",
        conda:
            "../../../../envs/stats.yaml"
        resources:
            mem_mb=more(3000),
            runtime=more(60),
        params:
            submission=SUBMISSION,
            method=HANDED_IN,
            space=SPACES[SPACE["gla_gan"]].entities,
            tracer=TRACERS[STUDY["gla_gan"]],
            code=code("handed_in.py"),
        script:
            "../../../scripts/handed_in.py"

    use rule table1 as judged_table1 with:
        input:
            metrics=of_folds("gla_gan", "metrics/{model}/fold-{fold}.tsv", model=JUDGED_METHODS),
            repeated=[],
            histories=[],
            published=source_file("resources/published/gla_gan.tsv"),
        output:
            f"{JUDGED}/table1.tsv",
        log:
            f"logs/judged/{HANDED_IN}_table1.log",
        params:
            code=code("image_table.py"),
            table="I",
            system="gla_gan",
            groups=TRAINING_GROUPS,
            models=COMPARED_MODELS,
            starts={},

    use rule table2 as judged_table2 with:
        input:
            predictions=judged_predictions("paired"),
            published=source_file("resources/published/gla_gan.tsv"),
        output:
            f"{JUDGED}/table2.tsv",
        log:
            f"logs/judged/{HANDED_IN}_table2.log",
        params:
            code=code("diagnosis_table.py"),
            table="II",
            dataset="Paired",
            positive=config["gla_gan"]["diagnosis"]["positive"],
            models=COMPARED_MODELS,

    use rule judged_table2 as judged_table3 with:
        input:
            predictions=judged_predictions("complete"),
            published=source_file("resources/published/gla_gan.tsv"),
        output:
            f"{JUDGED}/table3.tsv",
        log:
            f"logs/judged/{HANDED_IN}_table3.log",
        params:
            code=code("diagnosis_table.py"),
            table="III",
            dataset="Complete",
            positive=config["gla_gan"]["diagnosis"]["positive"],
            models=COMPARED_MODELS,

    rule judged_bias:
        input:
            visits="results/datasets/linear/visits.tsv",
            participants=[],
            real="results/gla_gan/features/real.tsv",
            synthetic=of_folds("gla_gan", "features/{model}/fold-{fold}.tsv", model=JUDGED_METHODS),
        output:
            table=f"{JUDGED}/regional_bias.tsv",
            figure=f"{JUDGED}/regional_bias.png",
        log:
            f"logs/judged/{HANDED_IN}_bias.log",
        localrule: True
        conda:
            "../../../../envs/stats.yaml"
        resources:
            mem_mb=more(1000),
            runtime=more(10),
        params:
            code=code("regional_bias.py"),
            groups=diagnosed_groups("gla_gan"),
            told=[],
            labels=JUDGED_LABELS,
            note=simulated_note("gla_gan"),
        script:
            "../../../scripts/regional_bias.py"

    rule judged_strata:
        input:
            metrics=rules.judged_table1.input.metrics,
            predictions=judged_predictions("paired"),
            visits="results/datasets/linear/visits.tsv",
            scanners="results/datasets/linear/scanners.tsv",
        output:
            f"{JUDGED}/strata.tsv",
        log:
            f"logs/judged/{HANDED_IN}_strata.log",
        localrule: True
        conda:
            "../../../../envs/stats.yaml"
        resources:
            mem_mb=more(1000),
            runtime=more(10),
        params:
            diagnosing=COMPARED_MODELS,
            positive=config["gla_gan"]["diagnosis"]["positive"],
            models=COMPARED_MODELS,
            groups=TRAINING_GROUPS,
            code=code("strata_table.py"),
        script:
            "../../../scripts/strata_table.py"

    if THREE_WAY:

        use rule three_way as judged_three_way with:
            input:
                paired=judged_predictions("paired", "three_way"),
                complete=judged_predictions("complete", "three_way"),
            output:
                table=f"{JUDGED}/three_way.tsv",
                figure=f"{JUDGED}/three_way.png",
            log:
                f"logs/judged/{HANDED_IN}_three_way.log",
            params:
                code=code("three_way.py"),
                groups=THREE_WAY,
                labels=JUDGED_LABELS,
                models=COMPARED_MODELS,
                note=simulated_note("gla_gan"),

    rule judge:
        input:
            expand(f"{JUDGED}/table{{number}}.tsv", number=(1, 2, 3)),
            f"{JUDGED}/regional_bias.tsv",
            f"{JUDGED}/strata.tsv",
            [f"{JUDGED}/three_way.tsv"] if THREE_WAY else [],

else:

    rule judge:
        input:
            no_submission,
