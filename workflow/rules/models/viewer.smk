"""Volumes that the report's viewer shows, beside the page."""

for system in PET_SYSTEMS:

    # A rule a system, since one job takes all folds, and systems differ in how many they have.
    rule:
        name:
            f"{system}_viewer"
        input:
            visits=of_folds(
                system,
                "synthesis/{model}/fold-{fold}/visits.tsv",
                model=list(config[system]["models"]),
            ),
            synthetic=of_folds(
                system,
                "synthesis/{model}/fold-{fold}/pet.npy",
                model=list(config[system]["models"]),
            ),
            mri=f"results/datasets/{SPACE[system]}/mri.npy",
            pet=f"results/datasets/{SPACE[system]}/pet.npy",
            mask=f"results/datasets/{SPACE[system]}/mask.npy",
            atlas=f"results/datasets/{SPACE[system]}/atlas.npy",
            description=f"results/datasets/{SPACE[system]}/dataset.json",
            names="resources/atlases/aal.tsv",
        output:
            directory(f"results/report/viewer/{system}"),
        log:
            f"logs/viewer/{system}.log",
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(2000),
            runtime=more(30),
        params:
            code=code("viewer.py"),
            system=system,
            labels=labels_of(system),
        script:
            "../../scripts/viewer.py"
