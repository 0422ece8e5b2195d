"""Checking the configuration before anything runs."""

import difflib
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from mri2pet.config.ablations import check_models
from mri2pet.config.systems import check_dual_glow, check_gan_anomaly, check_ixi, check_starts
from mri2pet.errors import InputError


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
    check_models(config["gla_gan"])
    _check_groups(config)
    _check_interpretation(config["gla_gan"])
    check_dual_glow(config)
    check_gan_anomaly(config)
    check_ixi(config)
    check_starts(config)


def _check_groups(config: dict[str, Any]) -> None:
    """Refuse a group that no visit of the cohort can have."""
    gla_gan, known = config["gla_gan"], config["cohort"]["groups"]
    diagnosis = gla_gan["diagnosis"]
    used = {
        "training_groups": gla_gan.get("training_groups", []),
        "diagnosis.positive": [diagnosis["positive"]],
        "diagnosis.negative": [diagnosis["negative"]],
        "diagnosis.three_way": diagnosis.get("three_way", []),
    }
    for key, groups in used.items():
        for group in groups:
            if group not in known:
                raise InputError(
                    f"gla_gan.{key}: group {group} is not among cohort.groups ({', '.join(known)})"
                )


def _check_interpretation(gla_gan: dict[str, Any]) -> None:
    """Refuse to look into a model that this run does not train."""
    model = gla_gan.get("interpretation", {}).get("model")
    known = [*gla_gan["models"], *gla_gan.get("ablations", {}).get("run", [])]
    if model is not None and model not in known:
        raise InputError(
            f"gla_gan.interpretation.model: there is no model '{model}' in this run; known are "
            f"{', '.join(known)}"
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
