"""Networks of a configuration, held against their classes before anything runs.

The classes are read from the source, since importing them would take torch into every start.
"""

import ast
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mri2pet.config.by_name import source_of
from mri2pet.config.systems import SYSTEMS, system_models
from mri2pet.errors import InputError
from mri2pet.models.registry import check_network_name, symbol_of

_PARTS = {  # settings that are in turn the settings of a class, without what the network gives it
    ("dual_glow", "side"): ("side", "SideInformation", ()),
    ("dual_glow", "relation"): ("relation", "Relation", ("channels", "side", "grid")),
    ("dual_glow", "heads"): ("side", "SideHeads", ("side", "channels")),
}


@dataclass(frozen=True)
class Signature:
    """Settings that a class takes, and those of them that it needs."""

    known: tuple[str, ...]
    needed: tuple[str, ...]


def check_networks(config: Mapping[str, Any], systems: Iterable[str] = SYSTEMS) -> None:
    """Check name and settings of every network that some systems train.

    Parameters
    ----------
    config
        The configuration, as its schema lets it pass.
    systems
        Names of `SYSTEMS` with a block in it.

    Raises
    ------
    InputError
        Naming the key of a network that there is not, or that does not take one of its settings.
    """
    for system in systems:
        block = config[system]
        for name, entry in system_models(config, system).items():
            part = "models" if name in block.get("models", {}) else "ablations.variants"
            for role in ("generator", "discriminator"):
                if role in entry:
                    check_network(f"{system}.{part}.{name}.{role}", entry[role])
        encoder = block.get("detector", {}).get("encoder")
        if encoder:
            check_network(f"{system}.detector.encoder.network", encoder["network"])


def check_network(where: str, settings: Mapping[str, Any]) -> None:
    """Check one network: `name` and its settings, for the key `where` of the configuration.

    Raises
    ------
    InputError
        There is no such network, or it does not take or lacks a setting.
    """
    name = str(settings["name"])
    check_network_name(f"{where}.name", name)
    module, _, class_name = symbol_of(name).rpartition(".")[2].partition(":")
    _check_settings(where, name, signature(module, class_name), settings.keys() - {"name"})
    for key in settings:
        part = _PARTS.get((name, key))
        if part is not None and isinstance(settings[key], Mapping):
            taken = signature(*part[:2])
            known = tuple(own for own in taken.known if own not in part[2]) if taken else ()
            kept = Signature(known, ()) if taken else None
            _check_settings(f"{where}.{key}", f"{key} of {name}", kept, settings[key])


@cache
def signature(module: str, class_name: str) -> Signature | None:
    """Return the settings of a class of this folder; None if its source does not tell them all."""
    node = _names(module).get(class_name)
    if node is None:
        return None
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            return _of_function(part.args)
    if any("dataclass" in ast.unparse(mark) for mark in node.decorator_list):
        fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
        known = {ast.unparse(field.target): field.value for field in fields}
        return Signature(tuple(known), tuple(key for key, value in known.items() if value is None))
    if not node.bases or not isinstance(node.bases[0], ast.Name):
        return None
    base = node.bases[0].id
    if _names(module).get(base):
        return signature(module, base)
    home = _imports(module).get(base)
    return signature(home, base) if home else None


def _of_function(given: ast.arguments) -> Signature | None:
    if given.kwarg is not None:
        return None
    places = [*given.posonlyargs, *given.args][1:]
    needed = [own.arg for own in places[: len(places) - len(given.defaults)]]
    needed += [
        own.arg
        for own, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        if default is None
    ]
    return Signature(tuple(own.arg for own in [*places, *given.kwonlyargs]), tuple(needed))


def _tree(module: str) -> ast.Module:
    return source_of(f"{__package__}.{module}")


@cache
def _names(module: str) -> dict[str, ast.ClassDef | None]:
    """Return the classes of a module by name; None for a name that comes from elsewhere."""
    found: dict[str, ast.ClassDef | None] = {}
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(name.asname or name.name): None for name in node.names}
        elif isinstance(node, ast.Assign):
            found |= {target.id: None for target in node.targets if isinstance(target, ast.Name)}
    return found


@cache
def _imports(module: str) -> dict[str, str]:
    """Return which names of a module come from which other one of this folder."""
    return {
        name.name: str(node.module).rpartition(".")[2]
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"{__package__}.")
        for name in node.names
    }


def _check_settings(where: str, name: str, taken: Signature | None, given: Iterable[str]) -> None:
    if taken is None:
        return
    given = sorted(given)
    for key in given:
        if key not in taken.known:
            raise InputError(
                f"{where}.{key}: {name} has no such setting; {_nearest(key, taken.known)}"
            )
    if lacking := [key for key in taken.needed if key not in given]:
        raise InputError(f"{where}: {name} needs the setting '{lacking[0]}'")


def _nearest(word: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known) or 'none'}"
