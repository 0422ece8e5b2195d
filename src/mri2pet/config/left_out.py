"""What a configuration laid over another takes away from it: systems and models of `null`."""

from collections.abc import Iterable, Mapping
from typing import Any


def without_left_out(config: Mapping[str, Any], systems: Iterable[str]) -> dict[str, Any]:
    """Return a configuration without the systems, and the models of systems, that are `null`.

    Parameters
    ----------
    config
        The whole configuration; it is not changed.
    systems
        Names of all systems.
    """
    kept = dict(config)
    for system in systems:
        if kept.get(system, {}) is None:
            del kept[system]
        block = kept.get(system, {})
        if isinstance(block, Mapping) and isinstance(block.get("models"), Mapping):
            models = {name: own for name, own in block["models"].items() if own is not None}
            kept[system] = {**block, "models": models}
    return kept
