"""Ablations: models that differ from a base model in one thing (GLA-GAN, Figures 8 and 9)."""

import copy
from collections.abc import Mapping
from typing import Any

from mri2pet.errors import InputError

# Rows of the tables that are no models.
RESERVED = ("mean_pet", "only_mri", "mri_age_sex", "oracle", "real_pet", "copy")
FIGURES = ("losses", "patches")
LAID_OVER = ("generator", "discriminator", "training")  # key by key; losses are replaced whole


def check_models(gla_gan: Mapping[str, Any]) -> None:
    """Check the names of models and variants in the block `gla_gan` of the configuration.

    Raises
    ------
    InputError
        If a model or variant has a name that is taken, or the base or a variant to be run is not
        there, or a variant would change what its base does not have.
    """
    models = gla_gan["models"]
    for name in sorted(set(models) & set(RESERVED)):
        raise InputError(f"gla_gan.models.{name}: the name is taken by a row of the tables")
    ablations = gla_gan.get("ablations")
    if ablations is None:
        return
    where, base, variants = "gla_gan.ablations", ablations["base"], ablations["variants"]
    if base not in models:
        raise InputError(
            f"{where}.base: there is no model '{base}'; known are {', '.join(sorted(models))}"
        )
    for name in sorted(set(variants) & {*models, *RESERVED}):
        what = "a row of the tables" if name in RESERVED else "a model of gla_gan.models"
        raise InputError(f"{where}.variants.{name}: the name is taken by {what}")
    for name in ablations["run"]:
        if name not in variants:
            raise InputError(
                f"{where}.run: there is no variant '{name}'; known are "
                f"{', '.join(sorted(variants))}"
            )
    for name, changes in variants.items():
        for part in (*LAID_OVER, "losses"):
            if part in changes and part not in models[base]:
                raise InputError(
                    f"{where}.variants.{name}.{part}: the base model '{base}' has no {part}"
                )


def variant_models(gla_gan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Make the complete entry of every variant that is to be trained.

    Parameters
    ----------
    gla_gan
        The block of the configuration, as `check_models` lets it pass.

    Returns
    -------
    Name to an entry of the form of `gla_gan.models`: the base's, with the variant's label; its
    `losses` in place of the base's, and its `generator`, `discriminator` and `training` laid over
    the base's key by key. In the order of `run`; nothing is shared with the configuration.
    """
    ablations = gla_gan.get("ablations")
    if not ablations:
        return {}
    base = gla_gan["models"][ablations["base"]]
    entries = {}
    for name in ablations["run"]:
        changes = ablations["variants"][name]
        entry = {key: value for key, value in base.items() if key != "repeats"}
        entry["label"] = changes["label"]
        if "losses" in changes:
            entry["losses"] = changes["losses"]
        for part in LAID_OVER:
            if part in changes:
                entry[part] = {**base[part], **changes[part]}
        entries[name] = copy.deepcopy(entry)
    return entries


def figure_labels(gla_gan: Mapping[str, Any], figure: str) -> dict[str, str]:
    """Name to label of the models that a figure compares, the base first; empty without a variant.

    Parameters
    ----------
    gla_gan
        The block of the configuration.
    figure
        `losses` (Figure 8) or `patches` (Figure 9).
    """
    ablations = gla_gan.get("ablations")
    if ablations is None:
        return {}
    variants = ablations["variants"]
    chosen = {
        name: variants[name]["label"]
        for name in variants
        if name in ablations["run"] and variants[name]["figure"] == figure
    }
    return {ablations["base"]: ablations["base_labels"][figure], **chosen} if chosen else {}
