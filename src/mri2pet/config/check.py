"""Checking the configuration before anything runs."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema

from mri2pet.config.repeats import check_repeats
from mri2pet.config.schema import load_schema
from mri2pet.config.studies import make_study
from mri2pet.config.systems import SPACES, SYSTEMS, check_maps, check_means, check_starts, resolve
from mri2pet.errors import InputError

# Keys of an earlier form of the configuration, and what they are now; {system}: its study's name.
MOVED = {
    "cohort": "studies.{gla_gan}",
    "simulation": "studies.{gla_gan}.simulation",
    "gan_anomaly.raw": "studies.{gan_anomaly}.raw",
    "gan_anomaly.simulation": "studies.{gan_anomaly}.simulation",
    "ixi.raw": "studies.{ixi}.raw",
    "ixi.simulation": "studies.{ixi}.simulation",
    "ixi.patches": "ixi.parts",
    "ixi.patches.stride": "ixi.parts.synthesis_stride",
}
NETWORKS = "mri2pet.models.signatures:check_networks"  # of a room above this one


def check_config(config: dict[str, Any], schema_path: str | Path) -> None:
    """Compare a configuration with its JSON schema, and its keys with each other.

    Raises
    ------
    InputError
        One line a fault, each naming the key, what is wrong and, for a misspelt key, the nearest
        known one.
    """
    schema = load_schema(schema_path)
    validator = jsonschema.Draft202012Validator(schema)
    faults = sorted(validator.iter_errors(config), key=lambda fault: list(map(str, fault.path)))
    if faults:
        lines = [line for fault in faults for line in _describe(fault, config)]
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
    check_repeats(config, systems)
    for name in systems:
        make_study(config[name]["study"], config["studies"][config[name]["study"]])
        check_starts(name, config[name])
        check_maps(name, config[name]["models"])
        resolve(SYSTEMS[name].check)(config)
    resolve(NETWORKS)(config, systems)
    for name in systems:
        check_means(name, config[name])


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


def _describe(fault: jsonschema.ValidationError, config: Mapping[str, Any]) -> list[str]:
    """Turn one schema fault into lines that name the key."""
    where = ".".join(map(str, fault.path))
    if fault.validator != "additionalProperties" or not isinstance(fault.instance, dict):
        return [f"{where or 'config'}: {fault.message}"]
    known = sorted(fault.schema.get("properties", {}))
    lines = []
    for key in sorted(set(fault.instance) - set(known)):
        full = f"{where}.{key}" if where else str(key)
        if full in MOVED:
            lines += _moved(full, fault.instance[key], config)
            continue
        near = difflib.get_close_matches(str(key), known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
        why = fault.schema.get("$comment")
        lines.append(f"{full}: unknown key; {hint}" + (f"; {why}" if why else ""))
    return lines


def _moved(key: str, value: Any, config: Mapping[str, Any]) -> list[str]:
    """Say where an earlier key went, one line for each key below it."""
    study = {name: (config.get(name) or {}).get("study", "<name>") for name in SYSTEMS}
    now = {key: MOVED[key]}
    if isinstance(value, Mapping):
        now = {f"{key}.{name}": f"{MOVED[key]}.{name}" for name in value}
    return [
        f"{old}: is now {MOVED.get(old, new).format(**study)} (CHANGELOG.md)"
        for old, new in now.items()
    ]
