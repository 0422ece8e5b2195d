# A rule a system, since one job writes all folds, and systems differ in how many they have.
for system in SYSTEMS:

    rule:
        name:
            f"{system}_image_metrics"
        input:
            visits=of_folds(system, "synthesis/{model}/fold-{fold}/visits.tsv"),
            synthetic=of_folds(system, f"synthesis/{{model}}/fold-{{fold}}/{made_file(system)}"),
            real=lambda wildcards, system=system: (
                f"results/datasets/{SPACE[system]}/"
                f"{array_name(system, wildcards.model, 'target')}.npy"
            ),
            # what all models are compared with, for the correlation of differences from it
            mean=(
                of_folds(system, "synthesis/mean_pet/fold-{fold}/pet.npy")
                if system in PET_SYSTEMS
                else []
            ),
            seen=lambda wildcards, system=system: seen_file(system, wildcards.model),
            mask=f"results/datasets/{SPACE[system]}/mask.npy",
            description=f"results/datasets/{SPACE[system]}/dataset.json",
        output:
            of_folds(system, "metrics/{model}/fold-{fold}.tsv"),
        log:
            f"logs/image_metrics/{system}/{{model}}.log",
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(2000),
            runtime=more(30),
        params:
            code=code("image_metrics.py"),
        script:
            "../../scripts/image_metrics.py"


if "ixi" in SYSTEMS:

    ruleorder: ixi_copy_metrics > ixi_image_metrics

    # What the source would score in place of a synthesised volume.
    use rule ixi_image_metrics as ixi_copy_metrics with:
        input:
            visits=["results/datasets/ixi/visits.tsv"],
            synthetic=["results/datasets/ixi/{source}.npy"],
            real="results/datasets/ixi/{target}.npy",
            mask="results/datasets/ixi/mask.npy",
            description="results/datasets/ixi/dataset.json",
        output:
            "results/ixi/metrics/copy_{source}_{target}/fold-0.tsv",
        log:
            "logs/image_metrics/ixi/copy_{source}_{target}.log",
        wildcard_constraints:
            source="t2|pd",
            target="t2|pd",
