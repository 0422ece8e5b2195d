"""Tables by sex, age, group and scanner, of the systems that diagnose."""


def of_strata(system):
    """Return what a system's table by stratum is made from: inputs, and parameters."""
    if system == "gla_gan":
        predictions, diagnosing = predictions_of("diagnosis", "paired"), MODELS
        positive = config["gla_gan"]["diagnosis"]["positive"]
    else:
        predictions, diagnosing = rules.dual_glow_table2.input.predictions, DIAGNOSING
        positive = "positive"
    metrics = of_folds(system, "metrics/{model}/fold-{fold}.tsv", model=biased_methods(system))
    files = {"metrics": metrics, "predictions": list(predictions)}
    if system == "gla_gan" and HARMONISED:
        files["harmonised"] = harmonised_predictions("paired")
    about = {"diagnosing": list(diagnosing), "positive": positive}
    return files, about | {"models": list(config[system]["models"])}


for system in DIAGNOSING_SYSTEMS:

    rule:
        name:
            f"{system}_strata"
        input:
            **of_strata(system)[0],
            visits=f"results/datasets/{SPACE[system]}/visits.tsv",
            scanners=f"results/datasets/{folds_space(system)}/scanners.tsv",
        output:
            report(
                f"results/{system}/tables/strata.tsv",
                caption="../../report/strata.rst",
                category="By sex, age, group and scanner",
                labels={"system": system, "content": "error and diagnosis by stratum"},
            ),
        log:
            f"logs/strata/{system}.log",
        localrule: True
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(1000),
            runtime=more(10),
        params:
            **of_strata(system)[1],
            groups=config[system].get("training_groups", []),
            code=code("strata_table.py"),
        script:
            "../../scripts/strata_table.py"
