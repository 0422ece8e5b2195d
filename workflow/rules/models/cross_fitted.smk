"""Generators without two folds, and their PET: a classifier learns from it in the cross-fitted protocol.

When the one fold is tested, the PET of the other one's people is made by a generator that saw neither.
"""

PAIR = "[0-9]+-[0-9]+"  # in place of a fold

if any(CROSS_FITTED.values()):

    ruleorder: mean_pet_without > synthesise_without

    use rule train as train_without with:
        output:
            weights="results/{system}/models/{model}/without-{fold}/generator.pt",
            history="results/{system}/models/{model}/without-{fold}/history.tsv",
            curve="results/{system}/models/{model}/without-{fold}/curve.png",
            chosen="results/{system}/models/{model}/without-{fold}/chosen.json",
        log:
            "logs/train/{system}/{model}_without-{fold}.log",
        wildcard_constraints:
            fold=PAIR,

    use rule synthesise as synthesise_without with:
        output:
            made="results/{system}/synthesis/{model}/without-{fold}/pet.npy",
            visits="results/{system}/synthesis/{model}/without-{fold}/visits.tsv",
            nifti=directory("results/{system}/synthesis/{model}/without-{fold}/nifti"),
        log:
            "logs/synthesise/{system}/{model}_without-{fold}.log",
        wildcard_constraints:
            fold=PAIR,

    use rule mean_pet as mean_pet_without with:
        output:
            made="results/{system}/synthesis/mean_pet/without-{fold}/pet.npy",
            visits="results/{system}/synthesis/mean_pet/without-{fold}/visits.tsv",
            nifti=directory("results/{system}/synthesis/mean_pet/without-{fold}/nifti"),
        log:
            "logs/mean_pet/{system}/without-{fold}.log",
        wildcard_constraints:
            fold=PAIR,


for system in [system for system, models in CROSS_FITTED.items() if models]:

    rule:
        name:
            f"{system}_features_without"
        input:
            visits=of_pairs(system, "synthesis/{model}/without-{pair}/visits.tsv"),
            pet=of_pairs(system, "synthesis/{model}/without-{pair}/pet.npy"),
            gm=tissue_files(system, "gm.npy"),
            wm=tissue_files(system, "wm.npy"),
            atlas=f"results/datasets/{SPACE[system]}/atlas.npy",
            mask=f"results/datasets/{SPACE[system]}/mask.npy",
            names="resources/atlases/aal.tsv",
        output:
            of_pairs(system, "features/{model}/without-{pair}.tsv"),
        log:
            f"logs/synthetic_features/{system}/{{model}}_without.log",
        conda:
            "../../../envs/stats.yaml"
        resources:
            mem_mb=more(2000),
            runtime=more(30),
        params:
            code=code("synthetic_features.py"),
        script:
            "../../scripts/synthetic_features.py"
