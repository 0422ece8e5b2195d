"""What simulated people's PET would show at another age or diagnosis, beside what models show (D10)."""

from mri2pet.simulation.people import GROUPS as SIMULATED_GROUPS


def true_people(_):
    """Return what holds the truth about the paired visits of DUAL-GLOW's study."""
    rows = cohort(STUDY["dual_glow"]).values()
    keys = [(row["subject"], row["visit"]) for row in rows if row["kind"] == "paired"]
    return list(dict.fromkeys(TRUTHS[key][0] for key in keys))


rule counterfactual_truth:
    input:
        **TEMPLATE_FILES,
        truths=true_people,
        visits="results/datasets/nonlinear/visits.tsv",
        description="results/datasets/nonlinear/dataset.json",
        mask="results/datasets/nonlinear/mask.npy",
        atlas="results/datasets/nonlinear/atlas.npy",
        names="resources/atlases/aal.tsv",
    output:
        "results/dual_glow/ages/truth.tsv",
    log:
        "logs/counterfactual_truth/counterfactual_truth.log",
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(60),
    params:
        ages=SETTINGS["synthesis"]["ages"],
        groups=[
            STUDIES[STUDY["dual_glow"]].groups[end]
            for end in (0, -1)
            if STUDIES[STUDY["dual_glow"]].groups[end] in SIMULATED_GROUPS
        ],
        reference=config["preproc"]["pet_reference"],
        ceiling=config["preproc"]["pet_ceiling"],
        code=code("counterfactual_truth.py"),
    script:
        "../../../scripts/counterfactual_truth.py"


rule counterfactual_table:
    input:
        made=expand(
            "results/dual_glow/ages/{model}/fold-{fold}/{told}.tsv",
            model=AGED,
            fold=FLOW_FOLDS,
            told=["regions", "diagnoses"],
        ),
        truth="results/dual_glow/ages/truth.tsv",
    output:
        report(
            "results/dual_glow/tables/counterfactual.tsv",
            caption="../../../report/dual_glow_counterfactual.rst",
            category="DUAL-GLOW",
            labels={"table": "counterfactual", "content": "what would be there"},
        ),
    log:
        "logs/counterfactual_table/counterfactual_table.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("counterfactual_table.py"),
    script:
        "../../../scripts/counterfactual_table.py"
