"""The models of all systems, what each works on, and the folds that they are trained in."""

from mri2pet.config.repeats import first_and_number, repeat_entries, repeats_of
from mri2pet.config.systems import system_models
from mri2pet.datasets.fold_pairs import fold_pairs, pair_name
from mri2pet.config.cross_fitted import cross_fitted
from mri2pet.diagnosis.methods import MEAN_PET, NOTHING_MADE, NOT_LEARNT, REAL_PET, WITHOUT_PET
from mri2pet.models.registry import symbol_of
from mri2pet.training.recipes import check_entry, loss_symbols, recipe_symbol

ENTRIES = {system: system_models(config, system) for system in SYSTEMS}
# With the second and further trainings of each model, which tables alone tell of.
TRAINED = {
    system: entries | repeat_entries(entries, repeats_of(config, system))
    for system, entries in ENTRIES.items()
}
PET_SYSTEMS = [system for system in SYSTEMS if KNOWN_SYSTEMS[system].pet]

try:
    for system, entries in ENTRIES.items():
        for model, entry in entries.items():
            own = model in config[system]["models"]
            check_entry(f"{system}.{'models' if own else 'ablations.variants'}.{model}", entry)
except InputError as error:
    raise WorkflowError(str(error)) from None

# Of these the best PET that any method could make is known: their people are simulated.
ORACLE_SYSTEMS = [system for system in PET_SYSTEMS if STUDIES[STUDY[system]].simulated]


def untrained(system):
    """Return the methods of a system that make PET and are no trained model."""
    return ["mean_pet", *(["oracle"] if system in ORACLE_SYSTEMS else [])]


def folds_of(system):
    """Return the folds of a system: its own, one where people are split once, or the run's."""
    if KNOWN_SYSTEMS[system].split_once:
        return [0]
    block = config[system] if KNOWN_SYSTEMS[system].own_folds else config
    return list(range(block["folds"]["n"]))


# The models of each system whose PET a classifier learns from, each trained without two folds too.
CROSS_FITTED = {system: cross_fitted(config, system) for system in SYSTEMS}


def folder_of(fold):
    """Return the folder of what held out one fold (`0`) or two (`0-2`)."""
    return f"without-{fold}" if "-" in fold else f"fold-{fold}"


def of_pairs(system, pattern, **wildcards):
    """Return files of a system, one a pair of its folds, which stand for `{pair}`."""
    pairs = [pair_name(*pair) for pair in fold_pairs(len(folds_of(system)))]
    return expand(f"results/{system}/{pattern}", pair=pairs, allow_missing=True, **wildcards)


def of_folds(system, pattern, **wildcards):
    """Return files of a system, one a fold; wildcards that are not given stay as they are."""
    folds = folds_of(system)
    return expand(f"results/{system}/{pattern}", fold=folds, allow_missing=True, **wildcards)


def each_fold(pattern):
    """Return an input function: `pattern` for every fold of a job's system."""
    return lambda wildcards: [
        pattern.format(**{**dict(wildcards.items()), "fold": fold})
        for fold in folds_of(wildcards.system)
    ]


def folds_space(system):
    """Return the space whose table of folds counts for a system."""
    space = SPACE[system]
    return space if KNOWN_SYSTEMS[system].own_folds else SPACES[space].after or space


def folds_file(wildcards):
    """Return the table of folds of a job's system; nothing where people are split once."""
    if KNOWN_SYSTEMS[wildcards.system].split_once:
        return []
    return f"results/datasets/{folds_space(wildcards.system)}/folds.tsv"


def dataset_file(name):
    """Return an input function: a file of the dataset that a job's system works on."""
    return lambda wildcards: f"results/datasets/{SPACE[wildcards.system]}/{name}"


def tissue_files(system, name):
    """Return a tissue map of a system's dataset; nothing where it has none."""
    return f"results/datasets/linear/{name}" if SPACE[system] == "linear" else []


def repeated_metrics(system, models):
    """Return the metrics of the second and further trainings of some models, one a fold."""
    further = [name for name in TRAINED[system] if name not in ENTRIES[system]]
    names = [name for name in further if first_and_number(name)[0] in models]
    return of_folds(system, "metrics/{model}/fold-{fold}.tsv", model=names)


def histories(system, models):
    """Return the histories of some models and of those that they go on from, one a fold."""
    names, entries = list(models), TRAINED[system]
    for name in names:
        start = entries[name].get("start")
        names += [start] if start and start not in names else []
    return of_folds(system, "models/{model}/fold-{fold}/history.tsv", model=names)


def starts(system):
    """Return the model that each model goes on from, of those that do."""
    return {name: e["start"] for name, e in TRAINED[system].items() if e.get("start")}


def space_entities(wildcards):
    """Return the space of a job's system as BIDS names it."""
    return SPACES[SPACE[wildcards.system]].entities


def tracer_of(wildcards):
    """Return the tracer of the PET that a job's system makes, as BIDS labels it."""
    return TRACERS[STUDY[wildcards.system]]


def training_groups(wildcards):
    """Return the groups that a system's models learn from; all if none is named."""
    return config[wildcards.system].get("training_groups", [])


def labels_of(system):
    """Return the label of each model of a system."""
    return {model: entry["label"] for model, entry in ENTRIES[system].items()}


def drawn_models(system):
    """Return the models whose PET is drawn: those of the configuration without their variants."""
    return list(config[system]["models"])


def model_entry(system, model):
    """Return a model's entry of the configuration, without what only names it."""
    entry = TRAINED[system][model]
    return {key: value for key, value in entry.items() if key not in ("label", "repeats")}


def model_code(system, model):
    """Return the networks of a model, which scripts reach by their configured names alone."""
    entry = TRAINED[system][model]
    names = [entry[role]["name"] for role in ("generator", "discriminator") if role in entry]
    return [symbol_of(name) for name in names]


def training_code(system, model):
    """Return the networks of a model, its recipe and its losses, for what trains it."""
    entry = TRAINED[system][model]
    learnt = [recipe_symbol(entry["recipe"]), *loss_symbols(entry.get("losses", {}))]
    return [*model_code(system, model), *learnt]
