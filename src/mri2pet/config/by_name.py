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
        It is neither; the message has the nearest name of the table and the file. Or the file
        cannot be read as Python.
    """
    if name in table:
        return
    own: list[str] = []
    if FORM.fullmatch(name):
        module, _, _ = symbol(package, table, name).partition(":")
        own = [f"{module.rpartition('.')[2]}.{each}" for each in sorted(_definitions(module))]
        if name in own:
            return
    near = difflib.get_close_matches(name, [*table, *own], n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    folder = "src/" + package.replace(".", "/")
    raise InputError(
        f"{where}: no {kind} is named '{name}'{hint}; known are {', '.join(table)} and "
        f"<file>.<name> of one's own in {folder}"
    )


@cache
def source_of(module: str) -> ast.Module:
    """Return the source of a module, as Python reads it; empty where there is no such file.

    Raises
    ------
    InputError
        It cannot be read as Python.
    """
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        return ast.Module(body=[], type_ignores=[])
    try:
        return ast.parse(Path(found.origin).read_bytes())
    except (SyntaxError, ValueError, OSError) as error:
        raise InputError(f"{found.origin}: cannot be read as Python ({error})") from error


def _definitions(module: str) -> frozenset[str]:
    """Return the functions and classes that a module defines."""
    body = source_of(module).body
    return frozenset(node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef))
