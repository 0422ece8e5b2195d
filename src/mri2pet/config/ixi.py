"""What only the block `ixi` must fulfil in the configuration."""

from collections.abc import Mapping
from typing import Any

from mri2pet.config.studies import SIMULATED
from mri2pet.config.systems import check_names
from mri2pet.errors import InputError


def check(config: Mapping[str, Any]) -> None:
    """Compare the keys of the block `ixi` with each other and with its study.

    Raises
    ------
    InputError
        If the simulated people are fewer than the split asks for; a patch does not fit the grid; a
        model's name is taken, its source is its target, or it goes on from a model that is not
        there, goes on in turn from it, or has another direction.
    """
    block = config["ixi"]
    study, wanted = config["studies"][block["study"]], sum(block["split"].values())
    if study["raw"] == SIMULATED and study["simulation"]["people"] < wanted:
        raise InputError(
            f"ixi.split asks for {wanted} people, studies.{block['study']}.simulation.people are "
            f"{study['simulation']['people']}"
        )
    x, y, slices = block["grid"]["shape"]
    sides = [x, y, -(-slices // block["grid"]["every"])]
    if block["patches"]["size"] > min(sides):
        raise InputError(
            f"ixi.patches.size: {block['patches']['size']} does not fit a grid of {sides} voxels "
            "(ixi.grid.shape, of its slices every ixi.grid.every-th)"
        )
    check_names("ixi", block)
    models = block["models"]
    for name, entry in models.items():
        where = f"ixi.models.{name}"
        if entry["source"] == entry["target"]:
            raise InputError(f"{where}: source and target are both {entry['source']}")
        seen, before = {name}, entry.get("start")
        while before is not None:
            if before not in models or before in seen:
                fault = "goes on from itself" if before in seen else f"there is no model '{before}'"
                raise InputError(f"{where}.start: {fault}")
            if any(models[before][key] != entry[key] for key in ("source", "target")):
                raise InputError(f"{where}.start: {before} has another direction")
            seen.add(before)
            before = models[before].get("start")
