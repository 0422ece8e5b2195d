"""Reading numbers that the command line hands over as text.

Snakemake reads `--config 'folds={n: 2}'` as YAML in which every value is text. What the schema
wants as a number, true, false or null is read as such here.
"""

import re
from collections.abc import Mapping
from typing import Any

import jsonschema
import yaml

ANNOTATIONS = ("title", "description", "default")  # say nothing of what is allowed
# YAML 1.1 takes 1e-3 for text, since it has no point.
EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")


def typed(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a configuration in which text stands only where the schema allows it.

    Parameters
    ----------
    config
        As Snakemake gives it.
    schema
        JSON schema of the configuration. Where it says nothing of a value, as of the settings of a
        network, the text is read by YAML's rules, too.
    """
    return _Reader(schema).value(config, schema)


class _Reader:
    """Follows a schema down a configuration."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.definitions = schema.get("$defs", {})
        self.validator = jsonschema.Draft202012Validator(schema)

    def value(self, value: Any, schema: Any) -> Any:
        """Read a value and all below it."""
        schema = self._resolved(schema)
        if isinstance(value, Mapping):
            schema = self._branch(schema, "object")
            known, other = schema.get("properties", {}), schema.get("additionalProperties", {})
            return {key: self.value(item, known.get(key, other)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            items = self._branch(schema, "array").get("items", {})
            return [self.value(item, items) for item in value]
        if isinstance(value, str) and not (schema and self._fits(value, schema)):
            return read_scalar(value)
        return value

    def _resolved(self, schema: Any) -> dict[str, Any]:
        """Return what a schema refers to; an empty one in place of true and false."""
        if not isinstance(schema, Mapping):
            return {}
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].rpartition("/")[2]]
        return {key: value for key, value in schema.items() if key not in ANNOTATIONS}

    def _branch(self, schema: dict[str, Any], kind: str) -> dict[str, Any]:
        """Return that alternative of a schema which is about objects, or about arrays."""
        choices = map(self._resolved, schema.get("anyOf", schema.get("oneOf", [])))
        return next((each for each in choices if each.get("type") == kind), schema)

    def _fits(self, text: str, schema: dict[str, Any]) -> bool:
        return self.validator.evolve(schema=schema).is_valid(text)


def read_scalar(text: str) -> str | int | float | bool | None:
    """Read text as the number, true, false or null that YAML sees in it; else return the text."""
    if EXPONENT.fullmatch(text):
        return float(text)
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return read if read is None or isinstance(read, int | float) else text
