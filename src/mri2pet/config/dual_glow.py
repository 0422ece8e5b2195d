"""What only DUAL-GLOW's block of the configuration must fulfil."""

from collections.abc import Mapping, Sequence
from typing import Any

from mri2pet.config.cross_fitted import check_cross_fitted
from mri2pet.config.systems import FLOW, as_map, check_names, study_groups
from mri2pet.errors import InputError


def check(config: Mapping[str, Any]) -> None:
    """Compare the keys of the block `dual_glow` with each other and with its study.

    Raises
    ------
    InputError
        If a model has a name that is taken; a flow cannot halve the grid as often as it has
        levels, or has no width for a level; a class of Table 2 is empty or overlaps the other; or a
        model cannot be cross-fitted.
    """
    block = config["dual_glow"]
    check_names("dual_glow", block)
    for name, entry in block["models"].items():
        if entry["generator"]["name"] == FLOW:
            _check_flow(f"dual_glow.models.{name}.generator", entry["generator"], block["grid"])
    known, classes = study_groups(config, "dual_glow"), block["diagnosis"]
    for role in ("positive", "negative"):
        if not set(classes[role]) & set(known):
            raise InputError(
                f"dual_glow.diagnosis.{role}: none of {', '.join(classes[role])} is among "
                f"studies.{block['study']}.groups ({', '.join(known)}); "
                f"{as_map(block['study'], known, classes[role][0])}"
            )
    for group in classes["positive"]:
        if group in classes["negative"]:
            raise InputError(
                f"dual_glow.diagnosis: group {group} is among the positive and the negative ones"
            )
    check_cross_fitted(config, "dual_glow")


def example_groups(config: Mapping[str, Any]) -> list[str]:
    """Return the groups whose cases are drawn in Figure 5, from ill to healthy.

    Of Table 2's positive groups the most and the least impaired, of the negative ones the least:
    AD, MCI and CN, as in the paper.
    """
    known, classes = study_groups(config, "dual_glow"), config["dual_glow"]["diagnosis"]
    ill = [group for group in known if group in classes["positive"]]
    well = [group for group in known if group in classes["negative"]]
    return list(dict.fromkeys([ill[-1], ill[0], well[0]]))


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
