"""Which groups a run's models and classifiers learn from, by the keys that name them."""

from collections.abc import Mapping, Sequence
from typing import Any


def learnt_groups(config: Mapping[str, Any], systems: Sequence[str]) -> dict[str, list[str]]:
    """Return the groups that are learnt from in every fold of some systems.

    Parameters
    ----------
    config
        The configuration.
    systems
        Of which the training groups and the two classes of the diagnosis count. A three-way
        diagnosis does without the folds that lack a group.

    Returns
    -------
    Key of the configuration to the groups that it names, together one class.
    """
    found = {}
    for system in systems:
        block = config[system]
        classes = block.get("diagnosis", {})
        for role in ("positive", "negative"):
            named = classes.get(role, [])
            found[f"{system}.diagnosis.{role}"] = [named] if isinstance(named, str) else list(named)
        found[f"{system}.training_groups"] = list(block.get("training_groups", []))
    return {key: groups for key, groups in found.items() if groups}
