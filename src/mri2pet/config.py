"""Checking the configuration before anything runs."""

import difflib
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from mri2pet.errors import InputError


def check_config(config: dict[str, Any], schema_path: str | Path) -> None:
    """Compare a configuration with its JSON schema.

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
