"""Table 2 by classifiers that have learnt from generated images of people whom no generator had seen."""


def dual_glow_features_without(wildcards):
    """Return the features of a method's PET by pairs of folds; none where it is of no training."""
    if wildcards.method in NOT_LEARNT:
        return []
    return of_pairs("dual_glow", "features/{model}/without-{pair}.tsv", model=wildcards.method)


use rule dual_glow_diagnose as dual_glow_diagnose_cross_fitted with:
    input:
        visits="results/datasets/nonlinear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        real="results/dual_glow/features/real.tsv",
        synthetic=dual_glow_features_of,
        without=dual_glow_features_without,
    output:
        expand("results/dual_glow/cross_fitted/{{method}}/fold-{fold}.tsv", fold=FLOW_FOLDS),
    log:
        "logs/dual_glow_diagnose/cross_fitted/{method}.log",


use rule dual_glow_table2 as dual_glow_cross_fitted with:
    input:
        predictions=[
            *expand(
                "results/dual_glow/diagnosis/{method}/fold-{fold}.tsv",
                method=NOTHING_MADE,
                fold=FLOW_FOLDS,
            ),
            *expand(
                "results/dual_glow/cross_fitted/{method}/fold-{fold}.tsv",
                method=[*untrained("dual_glow"), *CROSS_FITTED["dual_glow"]],
                fold=FLOW_FOLDS,
            ),
        ],
        published=PUBLISHED_FLOWS,
    output:
        report(
            "results/dual_glow/tables/cross_fitted.tsv",
            caption="../../../report/dual_glow_cross_fitted.rst",
            category="DUAL-GLOW",
            labels={"table": "2, cross-fitted", "content": "diagnosis learnt from synthetic PET"},
        ),
    log:
        "logs/dual_glow_table2/cross_fitted.log",
    localrule: True
    params:
        code=code("error_table.py"),
        dataset="Paired, cross-fitted",
        models=CROSS_FITTED["dual_glow"],
