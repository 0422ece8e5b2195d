"""Repeated trainings: further entries of a model, trained from other random numbers."""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mri2pet.errors import InputError

REPEAT = re.compile(r"(?P<model>.+)__(?P<number>\d+)")
UNSEEDED = ("local_regression",)  # recipes without random numbers: each training gives the same


def repeats_of(config: Mapping[str, Any], system: str) -> int:
    """Return how often the models of a system are trained: its own key, or that of the run."""
    return int(config[system].get("repeats", config.get("repeats", 1)))


def repeat_name(model: str, number: int) -> str:
    """Name the `number`-th training of a model, from 2 on; a name of its own is a seed."""
    return f"{model}__{number}"


def first_and_number(name: str) -> tuple[str, int]:
    """Return the model that a name is a training of, and which: 1 for the model's own name."""
    match = REPEAT.fullmatch(name)
    return (match["model"], int(match["number"])) if match else (name, 1)


def repeat_entries(
    entries: Mapping[str, Mapping[str, Any]], repeats: int
) -> dict[str, dict[str, Any]]:
    """Make the entries of the second and further trainings of each model.

    Parameters
    ----------
    entries
        Name to the complete entry of each model.
    repeats
        Trainings of each model, the first among them, where its entry names no `repeats`.

    Returns
    -------
    `<model>__2` and so on to the model's entry. One that goes on from another model goes on from
    its training of the same number, or its last. A recipe without random numbers is not repeated.
    """
    made: dict[str, dict[str, Any]] = {}
    number_of = {model: _number(entry, repeats) for model, entry in entries.items()}
    for number in range(2, max(number_of.values(), default=1) + 1):
        for model, entry in entries.items():
            if number > number_of[model]:
                continue
            made[repeat_name(model, number)] = own = copy.deepcopy(dict(entry))
            before = own.get("start")
            if before is not None and number_of[before] > 1:
                own["start"] = repeat_name(before, min(number, number_of[before]))
    return made


def check_repeats(config: Mapping[str, Any], systems: Sequence[str]) -> None:
    """Refuse models whose names look like those of further trainings.

    Raises
    ------
    InputError
        Naming the key.
    """
    for system in systems:
        block = config[system]
        variants = (block.get("ablations") or {}).get("variants", {})
        for key, names in (("models", block["models"]), ("ablations.variants", variants)):
            for name in names:
                if REPEAT.fullmatch(name):
                    raise InputError(
                        f"{system}.{key}.{name}: names that end in two underscores and a number "
                        "are those of repeated trainings; choose another"
                    )


def _number(entry: Mapping[str, Any], repeats: int) -> int:
    return 1 if entry["recipe"] in UNSEEDED else int(entry.get("repeats", repeats))
