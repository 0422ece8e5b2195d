rule dual_glow_draws:
    input:
        visits="results/datasets/nonlinear/visits.tsv",
        folds="results/datasets/linear/folds.tsv",
        mri="results/datasets/nonlinear/mri.npy",
        pet="results/datasets/nonlinear/pet.npy",
        seen="results/datasets/nonlinear/seen.npy",
        mask="results/datasets/nonlinear/mask.npy",
        weights="results/dual_glow/models/{model}/fold-{fold}/generator.pt",
        chosen="results/dual_glow/models/{model}/fold-{fold}/chosen.json",
    output:
        mean="results/dual_glow/uncertainty/{model}/fold-{fold}/mean.npy",
        sd="results/dual_glow/uncertainty/{model}/fold-{fold}/sd.npy",
        coverage="results/dual_glow/uncertainty/{model}/fold-{fold}/coverage.tsv",
        scores="results/dual_glow/uncertainty/{model}/fold-{fold}/scores.tsv",
        calibration="results/dual_glow/uncertainty/{model}/fold-{fold}/calibration.json",
    log:
        "logs/dual_glow_draws/{model}_fold-{fold}.log",
    wildcard_constraints:
        model="|".join(DRAWN) or "-",
    conda:
        "../../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=synthesis_memory(
            "dual_glow_draws", 6000, system="dual_glow", draws=SETTINGS["synthesis"]["draws"]
        ),
        runtime=more(240),
        gpu=1,
    params:
        generator=lambda wildcards: model_entry("dual_glow", wildcards.model)["generator"],
        draws=config["dual_glow"]["synthesis"]["draws"],
        temperature=config["dual_glow"]["synthesis"]["temperature"],
        seed=config["seed"],
        code=lambda wildcards: code("dual_glow_draws.py", *model_code("dual_glow", wildcards.model)),
    script:
        "../../../scripts/dual_glow_draws.py"
