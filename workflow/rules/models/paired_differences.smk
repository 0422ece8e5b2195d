"""Paired differences of every method's error from those of the yardsticks, for the report's summary."""


rule paired_differences:
    input:
        lambda wildcards: of_folds(
            wildcards.system,
            "metrics/{model}/fold-{fold}.tsv",
            model=biased_methods(wildcards.system),
        ),
    output:
        report(
            "results/{system}/tables/differences.tsv",
            caption="../../report/paired_differences.rst",
            category="Against the yardsticks",
            labels={"system": "{system}", "content": "paired differences of errors"},
        ),
    log:
        "logs/paired_differences/{system}.log",
    wildcard_constraints:
        system="|".join(PET_SYSTEMS) or "-",
    localrule: True
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("paired_differences.py"),
        groups=lambda wildcards: config[wildcards.system].get("training_groups", []),
    script:
        "../../scripts/paired_differences.py"
