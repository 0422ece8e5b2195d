"""The systems of a run: the space each works in, and the complete entries of its models."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mri2pet.config.ablations import RESERVED, variant_models
from mri2pet.errors import InputError

SPACE = {  # whose dataset a system works on
    "gla_gan": "linear",
    "dual_glow": "nonlinear",
    "gan_anomaly": "anomaly",
    "ixi": "ixi",
}
STUDY = {  # whose scans
    "gla_gan": "adni",
    "dual_glow": "adni",
    "gan_anomaly": "epilepsy",
    "ixi": "ixi",
}
ENTITIES = {  # of the files of a space, as BIDS names them
    "linear": "space-MNI152_res-64",
    "nonlinear": "space-MNI152SyN_res-model",
    "anomaly": "space-MNI152SyN_res-anomaly",
    "ixi": "res-model",
}
SPLIT_ONCE = ("ixi",)  # systems whose people are split once to train, validate and test; no folds
ATTRIBUTES = ("age", "sex", "diagnosis")  # of side information, where an entry does not choose
FLOW = "dual_glow"  # the network that is made for one grid, and knows the groups by name


def check_dual_glow(config: Mapping[str, Any]) -> None:
    """Compare the keys of the block `dual_glow`, if there is one, with each other and the cohort.

    Raises
    ------
    InputError
        If a model has a name that is taken; a flow cannot halve the grid as often as it has
        levels, or has no width for a level; or a class of Table 2 is empty or overlaps the other.
    """
    block = config.get("dual_glow")
    if block is None:
        return
    for where, _, entry in _models("dual_glow", block):
        if entry["generator"]["name"] == FLOW:
            _check_flow(f"{where}.generator", entry["generator"], block["grid"])
    cohort, classes = config["cohort"]["groups"], block["diagnosis"]
    for role in ("positive", "negative"):
        if not set(classes[role]) & set(cohort):
            raise InputError(
                f"dual_glow.diagnosis.{role}: none of {', '.join(classes[role])} is among "
                f"cohort.groups ({', '.join(cohort)})"
            )
    for group in classes["positive"]:
        if group in classes["negative"]:
            raise InputError(
                f"dual_glow.diagnosis: group {group} is among the positive and the negative ones"
            )


def _models(
    system: str, block: Mapping[str, Any], *taken: str
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield key, name and entry of each model; refuse names that rows of the tables have."""
    for name, entry in block["models"].items():
        where = f"{system}.models.{name}"
        if name in (*RESERVED, *taken):
            raise InputError(f"{where}: the name is taken by a row of the tables")
        yield where, name, entry


def _check_flow(where: str, generator: Mapping[str, Any], grid: Sequence[int]) -> None:
    depth, width = (generator.get(key) for key in ("depth", "width"))
    if depth is not None and width is not None and len(depth) != len(width):
        raise InputError(
            f"{where}: depth has {len(depth)} numbers and width {len(width)}; each level needs one "
            "of both"
        )
    if depth is not None and any(side % 2 ** len(depth) for side in grid):
        raise InputError(
            f"{where}.depth: {len(depth)} levels halve a volume as often, and dual_glow.grid "
            f"{list(grid)} is not divisible by {2 ** len(depth)}"
        )


def check_ixi(config: Mapping[str, Any]) -> None:
    """Compare the keys of the block `ixi`, if there is one, with each other.

    Raises
    ------
    InputError
        If the simulated people are fewer than the split asks for; a patch does not fit the grid; a
        model's name is taken, or its source is its target.
    """
    block = config.get("ixi")
    if block is None:
        return
    people, wanted = block["simulation"]["people"], sum(block["split"].values())
    if block["raw"] == "simulated" and people < wanted:
        raise InputError(f"ixi.split asks for {wanted} people, ixi.simulation.people are {people}")
    x, y, slices = block["grid"]["shape"]
    sides = [x, y, -(-slices // block["grid"]["every"])]
    if block["parts"]["kind"] == "patches" and block["parts"]["size"] > min(sides):
        raise InputError(
            f"ixi.parts.size: {block['parts']['size']} does not fit a grid of {sides} voxels "
            "(ixi.grid.shape, of its slices every ixi.grid.every-th)"
        )
    for where, _, entry in _models("ixi", block, "copy"):
        if entry["source"] == entry["target"]:
            raise InputError(f"{where}: source and target are both {entry['source']}")


def check_starts(config: Mapping[str, Any]) -> None:
    """Look for the model that another one goes on from, in every system.

    Raises
    ------
    InputError
        If it is not there, goes on in turn from the other, or has another source or target.
    """
    for system in SPACE:
        models = (config.get(system) or {}).get("models", {})
        for name, entry in models.items():
            where, seen, before = f"{system}.models.{name}", {name}, entry.get("start")
            while before is not None:
                if before not in models or before in seen:
                    itself = before in seen
                    fault = "goes on from itself" if itself else f"there is no model '{before}'"
                    raise InputError(f"{where}.start: {fault}")
                if any(models[before].get(key) != entry.get(key) for key in ("source", "target")):
                    raise InputError(f"{where}.start: {before} has another direction")
                seen.add(before)
                before = models[before].get("start")


def system_models(config: Mapping[str, Any], system: str) -> dict[str, dict[str, Any]]:
    """Make the complete entries of all models of a system.

    Parameters
    ----------
    config
        The configuration, as `check_config` lets it pass.
    system
        `gla_gan`, `dual_glow` or `ixi`.

    Returns
    -------
    Name to entry. Of `gla_gan` the variants of the ablations come after the models. A generator
    `dual_glow` gets the volumes' `grid` and the cohort's `side.groups` where its entry does not
    name its own; a model without `parts` those of its system; a discriminator of `ixi` their size.
    """
    entries = copy.deepcopy(dict(config[system].get("models", {})))
    if system == "gla_gan":
        return entries | variant_models(config["gla_gan"])
    for entry in entries.values():
        generator = entry["generator"]
        if "parts" in config[system]:
            entry.setdefault("parts", copy.deepcopy(config[system]["parts"]))
        if entry.get("discriminator", {}).get("name") == "ixi_discriminator":
            entry["discriminator"].setdefault("patch", entry["parts"]["size"])
        if generator["name"] == FLOW:
            generator.setdefault("grid", list(config[system]["grid"]))
            if generator.get("side"):
                generator["side"].setdefault("groups", list(config["cohort"]["groups"]))
    return entries


def configuration(entry: Mapping[str, Any]) -> str:
    """Return by what its networks see what the anomaly paper calls a model's configuration."""
    parts = entry.get("parts")
    return {"slices": "semi-3D", "patches": "3D-patch"}[parts["kind"]] if parts else "3D"


def check_gan_anomaly(config: Mapping[str, Any]) -> None:
    """Compare the keys of the synthesis in the block `gan_anomaly`, if there is one.

    Raises
    ------
    InputError
        If a model has a name that is taken, its networks do not fit what they are to see, a model
        of the figure or of a detector is not there, or nothing says what to simulate.
    """
    block = config.get("gan_anomaly")
    if block is None:
        return
    for where, _, entry in _models("gan_anomaly", block):
        parts = entry.get("parts")
        if parts is not None:
            slices = parts["kind"] == "slices"
            expected = (
                {"dimensions": 2, "channels": parts["size"]}
                if slices
                else {"dimensions": 3, "channels": 1}
            )
            for role in ("generator", "discriminator"):
                _check_sees(f"{where}.{role}", entry.get(role, {}), expected, parts["kind"])
    if block["raw"] == "simulated" and "simulation" not in block:
        raise InputError("gan_anomaly.simulation: missing, and gan_anomaly.raw is simulated")
    for name, entry in block["detector"]["training_sets"].items():
        model = entry.get("synthetic")
        if model is not None and model not in block["models"]:
            raise InputError(
                f"gan_anomaly.detector.training_sets.{name}.synthetic: there is no model "
                f"'{model}'; known are {', '.join(block['models'])}"
            )
    for name in block["example"]:
        if name not in block["models"]:
            raise InputError(
                f"gan_anomaly.example: there is no model '{name}'; known are "
                f"{', '.join(block['models'])}"
            )


def _check_sees(
    where: str, network: Mapping[str, Any], expected: Mapping[str, int], kind: str
) -> None:
    """Compare a network's dimensions and channels, if it has Cycle-GAN's defaults, with parts."""
    if network.get("name") not in ("resnet", "patch_gan"):
        return
    defaults = {"dimensions": 2, "channels": 3}
    for key, needed in expected.items():
        found = network.get(key, defaults[key])
        if found != needed:
            raise InputError(
                f"{where}.{key}: {found} does not fit parts.kind {kind}, which needs {needed}"
            )


def told(entry: Mapping[str, Any]) -> list[str]:
    """Return what a model is told of a person beside the MRI: age, sex, diagnosis or nothing.

    PET made by a model that is told the diagnosis shows it, and a classifier tested on such PET is
    told the answer: these models are not among those of the diagnosis tables.
    """
    side = entry["generator"].get("side")
    return list(side.get("attributes", ATTRIBUTES)) if side else []
