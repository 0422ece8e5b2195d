"""Training and what it needs: one rule for every system, its arrays named by the model's entry."""

from mri2pet.config.systems import shown_maps
from mri2pet.training.measures import NONE, measure_symbol

DEFAULT_ARRAYS = {"source": "mri", "target": "pet"}  # where an entry does not name its own


def array_name(system, model, role):
    """Return the array of the dataset that is a model's `source` or `target`."""
    return TRAINED[system].get(model, {}).get(role, DEFAULT_ARRAYS[role])


def learnt_folder(space):
    """Return the folder with what models of a space are trained on."""
    return f"results/datasets/{space}/learnt" if space in LEARNT else f"results/datasets/{space}"


def learnt_file(name):
    """Return an input function: a file of the dataset that a job's model is trained on."""
    return lambda wildcards: f"{learnt_folder(SPACE[wildcards.system])}/{name}"


def learnt_array(role):
    """Return an input function: the array of `learnt_file` that is a model's source or target."""
    return lambda wildcards: learnt_file(
        f"{array_name(wildcards.system, wildcards.model, role)}.npy"
    )(wildcards)


def learnt_further(wildcards):
    """Return the arrays that a job's model is trained on beside its source; mostly none."""
    maps = shown_maps(TRAINED[wildcards.system][wildcards.model])
    return [learnt_file(f"{name}.npy")(wildcards) for name in maps[1:]]


def learnt_folds(wildcards):
    """Return the table of folds of those who are learnt from; nothing where there are no folds."""
    if KNOWN_SYSTEMS[wildcards.system].split_once:
        return []
    return f"{learnt_folder(folds_space(wildcards.system))}/folds.tsv"


def model_array(role):
    """Return an input function: the array that a job's model is given, or is to make."""
    return lambda wildcards: (
        f"results/datasets/{SPACE[wildcards.system]}/"
        f"{array_name(wildcards.system, wildcards.model, role)}.npy"
    )


def further_arrays(wildcards):
    """Return the arrays that a job's model is shown beside its source; most are shown none."""
    entry = TRAINED[wildcards.system].get(wildcards.model)  # none of a mean image
    maps = shown_maps(entry) if entry else []
    return [dataset_file(f"{name}.npy")(wildcards) for name in maps[1:]]


def learnt_atlas(wildcards):
    """Return the atlas of what a job's model is trained on; nothing where there is none."""
    packed = PACKED[SPACE[wildcards.system]]["input"]
    return learnt_file("atlas.npy")(wildcards) if "atlas" in packed else []


def seen_file(system, model):
    """Return the array of what is measured of a model's target; nothing where that is no PET."""
    packed = PACKED[SPACE[system]]["arrays"]
    told = "seen" in packed and array_name(system, model, "target") == "pet"
    return f"results/datasets/{SPACE[system]}/seen.npy" if told else []


def start_file(wildcards):
    """Return the networks that a job's model goes on from; nothing for one that begins anew."""
    start = TRAINED[wildcards.system][wildcards.model].get("start")
    folder = f"results/{wildcards.system}/models/{start}/{folder_of(wildcards.fold)}"
    return f"{folder}/networks.pt" if start else []


def measure_code(system):
    """Return what a system's trainings are validated by, which train.py reaches by its name alone."""
    block = config[system].get("validation", {})
    return [measure_symbol(block)] if block and block.get("measure") != NONE else []


rule train:
    input:
        visits=learnt_file("visits.tsv"),
        folds=learnt_folds,
        source=learnt_array("source"),
        further=learnt_further,
        target=learnt_array("target"),
        seen=lambda wildcards: (
            learnt_file("seen.npy")(wildcards)
            if seen_file(wildcards.system, wildcards.model)
            else []
        ),
        mask=learnt_file("mask.npy"),
        atlas=learnt_atlas,
        description=learnt_file("dataset.json"),
        cohort=waiting_to_learn,
        start=start_file,
    output:
        weights="results/{system}/models/{model}/fold-{fold}/generator.pt",
        history="results/{system}/models/{model}/fold-{fold}/history.tsv",
        curve="results/{system}/models/{model}/fold-{fold}/curve.png",
        chosen="results/{system}/models/{model}/fold-{fold}/chosen.json",
    log:
        "logs/train/{system}/{model}_fold-{fold}.log",
    conda:
        "../../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=training_memory(8000),
        runtime=more(2880),
        gpu=1,
    params:
        model=lambda wildcards: model_entry(wildcards.system, wildcards.model),
        groups=training_groups,
        crop=lambda wildcards: config[wildcards.system].get("crop", 0),
        validation=lambda wildcards: config[wildcards.system].get("validation", {}),
        seed=config["seed"],
        code=lambda wildcards: code(
            "train.py",
            *training_code(wildcards.system, wildcards.model),
            *measure_code(wildcards.system),
        ),
    script:
        "../../scripts/train.py"


# A model that another one goes on from leaves all its networks.
STARTS = {system: set(starts(system).values()) for system in SYSTEMS}
STARTED = [system for system, models in STARTS.items() if models]

if STARTED:

    ruleorder: train_networks > train

    use rule train as train_networks with:
        output:
            weights="results/{system}/models/{model}/fold-{fold}/generator.pt",
            history="results/{system}/models/{model}/fold-{fold}/history.tsv",
            curve="results/{system}/models/{model}/fold-{fold}/curve.png",
            chosen="results/{system}/models/{model}/fold-{fold}/chosen.json",
            networks=["results/{system}/models/{model}/fold-{fold}/networks.pt"],
        wildcard_constraints:
            system="|".join(STARTED),
            model="|".join(sorted(set().union(*STARTS.values()))),
