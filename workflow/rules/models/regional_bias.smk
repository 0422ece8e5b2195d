"""Regional bias of synthetic PET, and the contrast of the diagnosis that it keeps."""

from mri2pet.config.systems import told

DIAGNOSING_SYSTEMS = [system for system in ("gla_gan", "dual_glow") if system in SYSTEMS]


def biased_methods(system):
    """Return the methods whose regional uptake is compared with the real one."""
    return [*config[system]["models"], *untrained(system)]


def told_the_diagnosis(system):
    """Return the models that know the diagnosis: their contrast is what they were told."""
    models = config[system]["models"]
    return [model for model in models if "diagnosis" in told(ENTRIES[system][model])]


def diagnosed_groups(system):
    """Return the groups on either side of a system's diagnosis, positive first."""
    sides = [config[system]["diagnosis"][role] for role in ("positive", "negative")]
    return [[side] if isinstance(side, str) else side for side in sides]


def participants_of(wildcards):
    """Return the table of people of a raw BIDS dataset, which may tell their site."""
    return participants_table(STUDIES[STUDY[wildcards.system]])


rule regional_bias:
    input:
        visits=dataset_file("visits.tsv"),
        participants=participants_of,
        real="results/{system}/features/real.tsv",
        synthetic=lambda wildcards: of_folds(
            wildcards.system,
            "features/{model}/fold-{fold}.tsv",
            model=biased_methods(wildcards.system),
        ),
    output:
        table=report(
            "results/{system}/tables/regional_bias.tsv",
            caption="../../report/regional_bias.rst",
            category="Regional bias",
            labels={"system": "{system}", "content": "bias by region and contrast kept"},
        ),
        figure=report(
            "results/{system}/figures/regional_bias.png",
            caption="../../report/regional_bias.rst",
            category="Regional bias",
            labels={"system": "{system}", "content": "contrast kept"},
        ),
    log:
        "logs/regional_bias/{system}.log",
    wildcard_constraints:
        system="|".join(DIAGNOSING_SYSTEMS) or "-",
    localrule: True
    conda:
        "../../../envs/stats.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("regional_bias.py"),
        groups=lambda wildcards: diagnosed_groups(wildcards.system),
        told=lambda wildcards: told_the_diagnosis(wildcards.system),
        labels=lambda wildcards: labels_of(wildcards.system),
        note=lambda wildcards: simulated_note(wildcards.system),
    script:
        "../../scripts/regional_bias.py"


rule figure_regional_maps:
    input:
        table="results/{system}/tables/regional_bias.tsv",
        atlas=dataset_file("atlas.npy"),
        mask=dataset_file("mask.npy"),
        description=dataset_file("dataset.json"),
        names="resources/atlases/aal.tsv",
        template="resources/atlases/mni152_t1.nii.gz",
        brain="resources/atlases/mni152_brain_mask.nii.gz",
    output:
        report(
            "results/{system}/figures/regional_maps.png",
            caption="../../report/regional_maps.rst",
            category="Regional bias",
            labels={"system": "{system}", "content": "maps of bias and contrast"},
        ),
    log:
        "logs/figure_regional_maps/{system}.log",
    wildcard_constraints:
        system="|".join(DIAGNOSING_SYSTEMS) or "-",
    conda:
        "../../../envs/report.yaml"
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        code=code("figure_regional_maps.py"),
        groups=lambda wildcards: diagnosed_groups(wildcards.system),
        labels=lambda wildcards: labels_of(wildcards.system),
        note=lambda wildcards: simulated_note(wildcards.system),
    script:
        "../../scripts/figure_regional_maps.py"
