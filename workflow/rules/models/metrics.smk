# A rule a system, since one job writes all folds, and systems differ in how many they have.
for system in PET_SYSTEMS:

    rule:
        name:
            f"{system}_image_metrics"
        input:
            visits=of_folds(system, "synthesis/{model}/fold-{fold}/visits.tsv"),
            synthetic=of_folds(system, "synthesis/{model}/fold-{fold}/pet.npy"),
            real=f"results/datasets/{SPACE[system]}/pet.npy",
            mask=f"results/datasets/{SPACE[system]}/mask.npy",
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
