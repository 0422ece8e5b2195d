"""Checking the configuration before anything runs."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from mri2pet.config.studies import make_study
from mri2pet.config.systems import SPACES, SYSTEMS, check_starts, resolve
from mri2pet.errors import InputError

NETWORKS = "mri2pet.models.signatures:check_networks"  # of a room above this one


def check_config(config: dict[str, Any], schema_path: str | Path) -> None:
    """Compare a configuration with its JSON schema, and its keys with each other.

    Raises
    ------
    InputError
        One line a fault, each naming the key, what is wrong and, for a misspelt key, the nearest
        known one.
    """
    schema = yaml.safe_load(Path(schema_path).read_text())
    validator = jsonschema.Draft202012Validator(schema)
    faults = sorted(validator.iter_errors(config), key=lambda fault: list(map(str, fault.path)))
    if faults:
        lines = [line for fault in faults for line in _describe(fault)]
        raise InputError("the configuration is not valid:\n  " + "\n  ".join(lines))
    systems = run_systems(config)
    if not systems:
        raise InputError(f"systems: none of {', '.join(SYSTEMS)} has a block of settings")
    for name in systems:
        if config[name]["study"] not in config["studies"]:
            raise InputError(
                f"{name}.study: there is no study '{config[name]['study']}'; known are "
                f"{', '.join(config['studies'])}"
            )
    check_spaces(config, systems)
    for name in systems:
        make_study(config[name]["study"], config["studies"][config[name]["study"]])
        check_starts(name, config[name])
        resolve(SYSTEMS[name].check)(config)
    resolve(NETWORKS)(config, systems)


def run_systems(config: Mapping[str, Any]) -> list[str]:
    """Return the systems that a run makes: those that `systems` names and that have a block."""
    wanted = config.get("systems", SYSTEMS)
    return [name for name in SYSTEMS if name in wanted and config.get(name) is not None]


def check_spaces(config: Mapping[str, Any], systems: Sequence[str]) -> None:
    """Refuse systems that would fill one space, or two that hang together, from two studies."""
    study_of: dict[str, tuple[str, str]] = {}
    for name in systems:
        study, space = config[name]["study"], SYSTEMS[name].space
        for each in (space, SPACES[space].after):
            other, theirs = study_of.setdefault(each, (name, study)) if each else (name, study)
            if theirs != study:
                raise InputError(
                    f"{name}.study: {study}, and {other}.study is {theirs}; both systems work on "
                    f"the space {each}, which belongs to one study of a run: name the same, or "
                    "run one after the other in folders of their own"
                )


def _describe(fault: jsonschema.ValidationError) -> list[str]:
    """Turn one schema fault into lines that name the key."""
    where = ".".join(map(str, fault.path))
    if fault.validator != "additionalProperties" or not isinstance(fault.instance, dict):
        return [f"{where or 'config'}: {fault.message}"]
    known = sorted(fault.schema.get("properties", {}))
    lines = []
    for key in sorted(set(fault.instance) - set(known)):
        full = f"{where}.{key}" if where else str(key)
        near = difflib.get_close_matches(str(key), known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
        lines.append(f"{full}: unknown key; {hint}")
    return lines
