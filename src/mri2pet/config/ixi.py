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
        model's name is taken, or its source is its target.
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
    if block["parts"]["kind"] == "patches" and block["parts"]["size"] > min(sides):
        raise InputError(
            f"ixi.parts.size: {block['parts']['size']} does not fit a grid of {sides} voxels "
            "(ixi.grid.shape, of its slices every ixi.grid.every-th)"
        )
    check_names("ixi", block)
    for name, entry in block["models"].items():
        if entry["source"] == entry["target"]:
            raise InputError(f"ixi.models.{name}: source and target are both {entry['source']}")
