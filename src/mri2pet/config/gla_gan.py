"""What only GLA-GAN's block of the configuration must fulfil."""

from collections.abc import Mapping
from typing import Any

from mri2pet.config.ablations import check_models
from mri2pet.config.cross_fitted import check_cross_fitted
from mri2pet.config.systems import as_map, study_groups
from mri2pet.errors import InputError


def check(config: Mapping[str, Any]) -> None:
    """Compare the keys of the block `gla_gan` with each other and with its study.

    Raises
    ------
    InputError
        If a model or variant has a name that is taken, an ablation does not fit its base, a group
        is one that no visit of the study can have, the model to be interpreted is not trained, or
        a model cannot be cross-fitted.
    """
    block = config["gla_gan"]
    check_models(block)
    diagnosis, known = block["diagnosis"], study_groups(config, "gla_gan")
    used = {
        "training_groups": block.get("training_groups", []),
        "diagnosis.positive": [diagnosis["positive"]],
        "diagnosis.negative": [diagnosis["negative"]],
    }
    for key, groups in used.items():
        for group in groups:
            if group not in known:
                raise InputError(
                    f"gla_gan.{key}: group {group} is not among studies.{block['study']}.groups "
                    f"({', '.join(known)}); {as_map(block['study'], known, group)}"
                )
    check_cross_fitted(config, "gla_gan")
    model = block.get("interpretation", {}).get("model")
    trained = [*block["models"], *block.get("ablations", {}).get("run", [])]
    if model is not None and model not in trained:
        raise InputError(
            f"gla_gan.interpretation.model: there is no model '{model}' in this run; known are "
            f"{', '.join(trained)}"
        )


def three_way_groups(config: Mapping[str, Any]) -> list[str]:
    """Return the groups of the three-way diagnosis; none if the study lacks one of them."""
    groups = config["gla_gan"]["diagnosis"].get("three_way", [])
    known = study_groups(config, "gla_gan")
    return list(groups) if all(group in known for group in groups) else []
