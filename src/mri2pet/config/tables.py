"""The tables of config/README.md, made from the schema and the default configuration.

`python -m mri2pet.config.tables` writes them between their markers (`make docs`):

    <!-- keys: raw; seed -->
    <!-- keys: $defs.model as <system>.models.<model> without parts, losses -->
    ...
    <!-- end -->
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from mri2pet.config.schema import load_schema

MARKED = re.compile(r"(<!-- keys: (?P<requests>.*?) -->\n).*?(<!-- end -->)", re.S)
REQUEST = re.compile(
    r"(?P<path>\S+)(?: as (?P<shown>\S+))?(?: like (?P<like>\S+))?(?: without (?P<without>.+))?"
)
SCHEMA, DEFAULTS, PAGE = (
    "workflow/schemas/config.schema.yaml",
    "config/config.yaml",
    "config/README.md",
)


def fill_tables(text: str, schema: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Return a page with the tables between its markers made anew.

    Parameters
    ----------
    text
        The page. A marker names a key of the schema, or `$defs.<definition>`; `as`: what is shown
        for it; `like`: the key whose values in the default configuration are its defaults;
        `without`: keys below it that are left out.
    schema, defaults
        Of the configuration, and the default one.
    """

    def fill(match: re.Match[str]) -> str:
        return match[1] + "\n" + _table(match["requests"], schema, defaults) + "\n" + match[3]

    return MARKED.sub(fill, text)


def explained(schema: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield every key of the configuration that has none below it, and whether it is described."""
    for path, node, leaf in _walk(schema, schema, ""):
        if leaf:
            yield path, "description" in node


def _table(requests: str, schema: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    rows = [row for request in requests.split("; ") for row in _rows(request, schema, defaults)]
    heads = (
        ["key", "default", "meaning"] if any(value for _, value, _ in rows) else ["key", "meaning"]
    )
    lines = [_line(heads), "|" + "---|" * len(heads)]
    lines += [_line([key, *[value] * (len(heads) == 3), meaning]) for key, value, meaning in rows]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells).replace("|  |", "| |") + " |"


def _rows(
    request: str, schema: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    """Yield key, default and meaning of what a marker asks for."""
    asked = REQUEST.fullmatch(request)
    path = asked["path"]
    shown, like = asked["shown"] or path, asked["like"] or path
    left_out = [f"{shown}.{key}" for key in re.split(", *", asked["without"] or "") if key]
    node = _at(schema, path)
    for key, item, _ in ((shown, node, False), *_walk(schema, node, shown)):
        if "description" in item and not any(f"{key}.".startswith(f"{k}.") for k in left_out):
            value = _default(item, defaults, like + key.removeprefix(shown))
            yield f"`{key}`", value, " ".join(item["description"].split())


def _walk(
    schema: Mapping[str, Any], node: Mapping[str, Any], path: str
) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield the keys below a node: path, what is said of it, and whether it has none below."""
    below = dict(_resolved(schema, node).get("properties", {}))
    named = _resolved(schema, node).get("additionalProperties", False)
    named = _resolved(schema, named) if isinstance(named, Mapping) else {}
    if "title" in named:
        below[f"<{named['title']}>"] = named
    for key, said in below.items():
        item = _resolved(schema, said)
        full = f"{path}.{key}" if path else key
        # What describes itself and refers to a block is described elsewhere key by key.
        inner = [] if {"$ref", "description"} <= said.keys() else list(_walk(schema, item, full))
        yield full, item, not inner
        yield from inner


def _at(schema: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the node of a key, or of a definition."""
    keys = path.split(".")
    node: Mapping[str, Any] = schema
    if keys[0] == "$defs":
        node, keys = schema["$defs"][keys[1]], keys[2:]
    for key in keys:
        node = _resolved(schema, node)
        node = node["additionalProperties"] if key.startswith("<") else node["properties"][key]
    return _resolved(schema, node)


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a node refers to, with what it says itself on top."""
    if "$ref" not in node:
        return dict(node)
    return _resolved(schema, schema["$defs"][node["$ref"].rpartition("/")[2]]) | dict(node)


def _default(item: Mapping[str, Any], defaults: Any, path: str) -> str:
    """Write the default of a key: that of the default configuration, else that of the schema."""
    for key in path.split("."):
        defaults = defaults.get(key) if isinstance(defaults, Mapping) else None
    value = item.get("default") if defaults is None else defaults
    if value is None and "default" not in item:
        return ""
    if isinstance(value, list) and value:
        return ", ".join(map(_scalar, value))
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    return yaml.safe_dump(value, default_flow_style=True, width=1000).split("\n")[0]


def main(check: bool = False) -> int:
    """Write the tables of config/README.md, or say whether they differ (1)."""
    page = Path(PAGE)
    before = page.read_text()
    after = fill_tables(before, load_schema(SCHEMA), yaml.safe_load(Path(DEFAULTS).read_text()))
    if not check:
        page.write_text(after)
    return int(check and before != after)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
