"""What a configuration names: a network, a recipe, a loss; found by name and not by import.

A script reaches only what its model names, so that a change of one network concerns its own jobs
alone. Nothing is imported to check a name: torch need not be there.
"""

import ast
import difflib
import importlib
import importlib.util
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mri2pet.errors import InputError

FORM = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")  # file.Name


def symbol(package: str, table: Mapping[str, str], name: str) -> str:
    """Return where something is defined, e.g. `mri2pet.models.unet3d:UNet3d` for `unet3d`.

    Parameters
    ----------
    package
        In whose files it is, e.g. `mri2pet.models`.
    table
        Short name to `file.Name`.
    name
        A short name, or `file.Name` itself.
    """
    module, _, attribute = table.get(name, name).rpartition(".")
    return f"{package}.{module}:{attribute}"


def find(where: str, kind: str, package: str, table: Mapping[str, str], name: str) -> Any:
    """Return what a name stands for; parameters and error are those of `check_name`."""
    check_name(where, kind, package, table, name)
    module, _, attribute = symbol(package, table, name).partition(":")
    return getattr(importlib.import_module(module), attribute)


def check_name(where: str, kind: str, package: str, table: Mapping[str, str], name: str) -> None:
    """Check that a name is in the table, or defined in a file of the package.

    Parameters
    ----------
    where, kind
        The key of the configuration and what it names (recipe, loss), for the message.
    package, table, name
        As `symbol` takes them.

    Raises
    ------
    InputError
        It is neither; the message has the nearest name of the table.
    """
    if name in table:
        return
    module, _, attribute = symbol(package, table, name).partition(":")
    if FORM.fullmatch(name) and attribute in _definitions(module):
        return
    near = difflib.get_close_matches(name, table, n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    folder = "src/" + package.replace(".", "/")
    raise InputError(
        f"{where}: no {kind} is named '{name}'{hint}; known are {', '.join(table)} and "
        f"<file>.<name> of one's own in {folder}"
    )


@cache
def _definitions(module: str) -> frozenset[str]:
    """Return the functions and classes that a module defines."""
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        return frozenset()
    body = ast.parse(Path(found.origin).read_bytes()).body
    return frozenset(node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef))
