"""What `diagnosis.cross_fitted` must fulfil: models by whose PET a classifier is trained."""

from collections.abc import Mapping
from typing import Any

from mri2pet.config.systems import told
from mri2pet.errors import InputError

FEWEST_FOLDS = 3  # one is tested, one synthesised, one learnt from


def check_cross_fitted(config: Mapping[str, Any], system: str) -> None:
    """Compare the key with the models of a system.

    Raises
    ------
    InputError
        If a model is not there, goes on from another one or is told the diagnosis.
    """
    block = config[system]
    where, models = f"{system}.diagnosis.cross_fitted", block["models"]
    names = block["diagnosis"].get("cross_fitted", [])
    for name in names:
        if name not in models:
            raise InputError(
                f"{where}: there is no model '{name}' in {system}.models; known are "
                f"{', '.join(models)}"
            )
        if models[name].get("start"):
            raise InputError(
                f"{where}: {name} goes on from {models[name]['start']}, and only a model that "
                "begins anew can be trained without two folds; leave it out"
            )
        if "diagnosis" in told(models[name]):
            raise InputError(
                f"{where}: {name} is told the diagnosis, which its PET then shows; leave it out"
            )


def cross_fitted(config: Mapping[str, Any], system: str) -> list[str]:
    """Return the models of a system by whose PET a classifier is trained.

    None with fewer than three folds: one is tested, one synthesised, and one learnt from.
    """
    names = config[system].get("diagnosis", {}).get("cross_fitted", [])
    return list(names) if config["folds"]["n"] >= FEWEST_FOLDS else []
