"""Synthesis at other ages and regional means over age (DUAL-GLOW, Figures 6 and 7, part D10)."""


def diagnoses_told(model):
    """Return the healthiest and the most ill group; none for a model that is told no diagnosis."""
    if "diagnosis" not in told(FLOWS[model]):
        return []
    return [STUDIES[STUDY["dual_glow"]].groups[end] for end in (0, -1)]


rule synthesise_ages:
    input:
        visits="results/datasets/nonlinear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        mri="results/datasets/nonlinear/mri.npy",
        mask="results/datasets/nonlinear/mask.npy",
        atlas="results/datasets/nonlinear/atlas.npy",
        names="resources/atlases/aal.tsv",
        metrics="results/dual_glow/metrics/{model}/fold-{fold}.tsv",
        weights="results/dual_glow/models/{model}/fold-{fold}/generator.pt",
        chosen="results/dual_glow/models/{model}/fold-{fold}/chosen.json",
    output:
        regions="results/dual_glow/ages/{model}/fold-{fold}/regions.tsv",
        diagnoses="results/dual_glow/ages/{model}/fold-{fold}/diagnoses.tsv",
        pet="results/dual_glow/ages/{model}/fold-{fold}/person.npy",
        person="results/dual_glow/ages/{model}/fold-{fold}/person.json",
    log:
        "logs/synthesise_ages/{model}_fold-{fold}.log",
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=synthesis_memory("synthesise_ages", 4000, system="dual_glow"),
        runtime=more(120),
        gpu=1,
    params:
        generator=lambda wildcards: model_entry("dual_glow", wildcards.model)["generator"],
        crop=SETTINGS["crop"],
        ages=SETTINGS["synthesis"]["ages"],
        diagnoses=lambda wildcards: diagnoses_told(wildcards.model),
        code=lambda wildcards: code("synthesise_ages.py", *model_code("dual_glow", wildcards.model)),
    script:
        "../../../scripts/synthesise_ages.py"


rule region_ages:
    input:
        ages=expand("results/dual_glow/ages/{{model}}/fold-{fold}/regions.tsv", fold=FLOW_FOLDS),
        visits=expand(
            "results/dual_glow/synthesis/{{model}}/fold-{fold}/visits.tsv", fold=FLOW_FOLDS
        ),
        synthetic=expand(
            "results/dual_glow/synthesis/{{model}}/fold-{fold}/pet.npy", fold=FLOW_FOLDS
        ),
        real="results/datasets/nonlinear/pet.npy",
        seen="results/datasets/nonlinear/seen.npy",
        mask="results/datasets/nonlinear/mask.npy",
        atlas="results/datasets/nonlinear/atlas.npy",
        names="resources/atlases/aal.tsv",
    output:
        "results/dual_glow/ages/{model}/regions.tsv",
    log:
        "logs/region_ages/{model}.log",
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(30),
    params:
        code=code("region_ages.py"),
    script:
        "../../../scripts/region_ages.py"


rule ages_table:
    input:
        expand("results/dual_glow/ages/{model}/regions.tsv", model=AGED),
    output:
        report(
            "results/dual_glow/tables/ages.tsv",
            caption="../../../report/dual_glow_ages_table.rst",
            category="DUAL-GLOW",
            labels={"table": "ages", "content": "change a decade"},
        ),
    log:
        "logs/ages_table/ages.log",
    localrule: True
    conda:
        "../../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("ages_table.py"),
        regions=SETTINGS["synthesis"]["regions"],
        groups=list(STUDIES[STUDY["dual_glow"]].groups),
    script:
        "../../../scripts/ages_table.py"


rule figure_ages:
    input:
        pet="results/dual_glow/ages/{model}/fold-0/person.npy",
        person="results/dual_glow/ages/{model}/fold-0/person.json",
        description="results/datasets/nonlinear/dataset.json",
        mask="results/datasets/nonlinear/mask.npy",
        template="resources/atlases/mni152_t1.nii.gz",
        brain="resources/atlases/mni152_brain_mask.nii.gz",
    output:
        report(
            "results/dual_glow/figures/ages_{model}.png",
            caption="../../../report/dual_glow_ages.rst",
            category="DUAL-GLOW",
            labels={"figure": "6", "content": "{model}"},
        ),
    log:
        "logs/figure_ages/{model}.log",
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("figure_ages.py"),
        label=lambda wildcards: FLOW_LABELS[wildcards.model],
        note=simulated_note("dual_glow"),
    script:
        "../../../scripts/figure_ages.py"


rule figure_regions:
    input:
        "results/dual_glow/ages/{model}/regions.tsv",
    output:
        report(
            "results/dual_glow/figures/regions_{model}.png",
            caption="../../../report/dual_glow_regions.rst",
            category="DUAL-GLOW",
            labels={"figure": "7", "content": "{model}"},
        ),
    log:
        "logs/figure_regions/{model}.log",
    localrule: True
    conda:
        "../../../../envs/report.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("figure_regions.py"),
        regions=SETTINGS["synthesis"]["regions"],
        groups=list(STUDIES[STUDY["dual_glow"]].groups),
        label=lambda wildcards: FLOW_LABELS[wildcards.model],
        note=simulated_note("dual_glow"),
    script:
        "../../../scripts/figure_regions.py"


SHOWN["dual_glow"] = [
    f"results/dual_glow/{path}"
    for path in [
        "tables/table1.tsv",
        "tables/table2.tsv",
        *(["tables/cross_fitted.tsv"] if CROSS_FITTED["dual_glow"] else []),
        "figures/mae.png",
        "tables/differences.tsv",
        "tables/regional_bias.tsv",
        "figures/regional_bias.png",
        "tables/strata.tsv",
        "figures/regional_maps.png",
        *expand("figures/synthesis_{group}.png", group=FLOW_EXAMPLES),
        *expand("figures/curves_{model}.png", model=FLOWS),
        *expand("figures/uncertainty_{model}.png", model=DRAWN),
        *(["tables/coverage.tsv"] if "dual_glow" in INTERVAL_SYSTEMS else []),
        *(["tables/ages.tsv"] if AGED else []),
        *(["tables/counterfactual.tsv"] if AGED and "dual_glow" in ORACLE_SYSTEMS else []),
        *(["tables/probes.tsv"] if DRAWN else []),
        *expand("figures/ages_{model}.png", model=AGED),
        *expand("figures/regions_{model}.png", model=AGED),
    ]
]
