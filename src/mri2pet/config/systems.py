"""The table of systems: everything that the workflow must know of a system beside its models."""

import copy
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mri2pet.config.ablations import RESERVED, variant_models
from mri2pet.errors import InputError


@dataclass(frozen=True)
class System:
    """What one system is made of.

    Attributes
    ----------
    space
        The space whose dataset it works on.
    check
        The function that compares the keys of its block with each other and with its study, as
        `module:name`; it takes the configuration.
    sections
        The functions that make its sections of the report, as `module:name`.
    own_folds
        Whether it deals its people to folds of its own; else the folds of the linear space count.
    split_once
        Whether its people are split once to train, validate and test; there are no folds then.
    raw
        Whether the key `raw` at the top of the configuration means its study.
    roles
        Whether its study must tell controls from patients.
    pet
        Whether it makes PET of MRI.
    read_by
        Keys of its block that its study's reader needs to know.
    further
        The function that names a study beside its own that it takes people from, or nothing, as
        `module:name`; it takes the configuration.
    """

    space: str
    check: str
    sections: tuple[str, ...]
    own_folds: bool = False
    split_once: bool = False
    raw: bool = False
    roles: bool = False
    pet: bool = True
    read_by: tuple[str, ...] = ()
    further: str = ""

    def further_study(self, config: Mapping[str, Any]) -> str:
        """Return the study beside its own that it takes people from; empty for none."""
        return resolve(self.further)(config) if self.further else ""


SYSTEMS = {
    "gla_gan": System(
        space="linear",
        check="mri2pet.config.gla_gan:check",
        sections=("mri2pet.reporting.gla_gan:sections",),
        raw=True,
    ),
    "dual_glow": System(
        space="nonlinear",
        check="mri2pet.config.dual_glow:check",
        sections=("mri2pet.reporting.dual_glow:sections",),
        raw=True,
    ),
    "gan_anomaly": System(
        space="anomaly",
        check="mri2pet.config.gan_anomaly:check",
        sections=(
            "mri2pet.reporting.gan_anomaly:sections",
            "mri2pet.reporting.detector:sections",
            "mri2pet.reporting.detector_controls:sections",
        ),
        own_folds=True,
        roles=True,
        further="mri2pet.config.gan_anomaly:further_study",
    ),
    "ixi": System(
        space="ixi",
        check="mri2pet.config.ixi:check",
        sections=("mri2pet.reporting.ixi:sections",),
        split_once=True,
        pet=False,
        read_by=("split",),
    ),
}


@dataclass(frozen=True)
class Space:
    """A space in which volumes are compared: how BIDS names its files, and what it stands on.

    Attributes
    ----------
    entities
        Of its files' names.
    after
        The space whose visits it begins with, and whose folds it takes over; empty for none.
    warped
        Whether volumes come to it through a nonlinear warp.
    maps
        Arrays of its dataset that are made of the MRI alone, which a model may be shown: the MRI,
        and the tissues where the space has them.
    """

    entities: str
    after: str = ""
    warped: bool = False
    maps: tuple[str, ...] = ()


MAPS = ("mri", "gm", "wm", "csf")
SPACES = {
    "linear": Space("space-MNI152_res-64", maps=MAPS),
    "nonlinear": Space("space-MNI152SyN_res-model", after="linear", warped=True, maps=MAPS),
    "anomaly": Space("space-MNI152SyN_res-anomaly", warped=True, maps=MAPS),
    "ixi": Space("res-model"),
}
# Rows of the tables that are no models.
ATTRIBUTES = ("age", "sex", "diagnosis")  # of side information, where an entry does not choose
FLOW = "dual_glow"  # the network that is made for one grid, and knows the groups by name
RECTIFIED = "rectified_flow"  # the network that draws from what may lie behind an MRI, as FLOW does
MEAN = "unet3d"  # the network that gives its mean PET
LOCAL = "local_regression"  # the network, and the recipe, that is shown several maps
WITH_MAPS = "regression"  # the recipe of a network that is


def resolve(symbol: str) -> Any:
    """Return what `module:name` names."""
    module, _, name = symbol.partition(":")
    return getattr(importlib.import_module(module), name)


def check_names(system: str, block: Mapping[str, Any]) -> None:
    """Refuse models with names that rows of the tables have."""
    for name in block["models"]:
        if name in RESERVED:
            raise InputError(f"{system}.models.{name}: the name is taken by a row of the tables")


def study_groups(config: Mapping[str, Any], system: str) -> list[str]:
    """Return the groups of a system's study, from healthy to ill."""
    from mri2pet.config.studies import group_names

    return list(group_names(config["studies"][config[system]["study"]].get("groups", ())))


def as_map(study: str, known: Sequence[str], group: str) -> str:
    """Say what to do where a study has no group of a name that a system needs."""
    word = known[0] if known else "WORD"
    return (
        f"name one of these, or say which word of the study means {group}: "
        f"studies.{study}.groups: {{{word}: {group}, ...}}"
    )


def check_starts(system: str, block: Mapping[str, Any]) -> None:
    """Look for the model that another one goes on from.

    Raises
    ------
    InputError
        If it is not there, goes on in turn from the other, or has another source or target.
    """
    models = block.get("models", {})
    for name, entry in models.items():
        where, seen, before = f"{system}.models.{name}", {name}, entry.get("start")
        while before is not None:
            if before not in models or before in seen:
                itself = before in seen
                fault = "goes on from itself" if itself else f"there is no model '{before}'"
                raise InputError(f"{where}.start: {fault}")
            if any(models[before].get(key) != entry.get(key) for key in ("source", "target")):
                raise InputError(f"{where}.start: {before} has another direction")
            seen.add(before)
            before = models[before].get("start")


def check_means(system: str, block: Mapping[str, Any]) -> None:
    """Look at the networks that rectified flows take as their mean PET.

    Raises
    ------
    InputError
        If one is no U-Net of the MRI alone, or another than `generator.mean` says.
    """
    models = block.get("models", {})
    for name, entry in models.items():
        own, other = (e["generator"] for e in (entry, models.get(entry.get("start"), entry)))
        if own["name"] != RECTIFIED or other["name"] == RECTIFIED:
            continue
        filters = own.get("mean", other.get("filters"))
        if other["name"] != MEAN or filters != other.get("filters") or other.get("maps"):
            raise InputError(
                f"{system}.models.{name}.start: its mean PET is a {MEAN} of the filters {filters} "
                f"(`generator.mean`), and it starts from a {other['name']} of "
                f"{other.get('filters')}{' with maps' if other.get('maps') else ''}; leave out "
                f"`generator.mean` and start from a {MEAN} without maps, or `start: null`, and "
                "both its networks are trained"
            )


def system_models(config: Mapping[str, Any], system: str) -> dict[str, dict[str, Any]]:
    """Make the complete entries of all models of a system.

    Parameters
    ----------
    config
        The configuration, as `check_config` lets it pass.
    system
        A name of `SYSTEMS`.

    Returns
    -------
    Name to entry. Variants of ablations come after the models. A generator `dual_glow` gets the
    volumes' `grid` and the study's groups (`side.groups`) where its entry does not name its own,
    and another one that is to `standardise` the `grid`; a rectified flow that starts from a
    `unet3d` the latter's filters; a model without `parts` those of its system; a discriminator of
    `ixi` their size.
    """
    block = config[system]
    entries = copy.deepcopy(dict(block.get("models", {}))) | variant_models(block)
    for entry in entries.values():
        generator = entry["generator"]
        if "parts" in block:
            entry.setdefault("parts", copy.deepcopy(block["parts"]))
        if entry.get("discriminator", {}).get("name") == "ixi_discriminator":
            entry["discriminator"].setdefault("patch", entry["parts"]["size"])
        one_grid = generator["name"] == FLOW or generator.get("standardise")
        if one_grid and isinstance(block.get("grid"), Sequence):  # of ixi it is a map
            generator.setdefault("grid", list(block["grid"]))
        if generator["name"] == FLOW and generator.get("side"):
            generator["side"].setdefault("groups", study_groups(config, system))
        before = entries.get(entry.get("start"), entry)["generator"]
        if generator["name"] == RECTIFIED and before["name"] == MEAN and "filters" in before:
            generator.setdefault("mean", list(before["filters"]))
    return entries


def shown_maps(entry: Mapping[str, Any]) -> list[str]:
    """Return the arrays of the dataset that a model is shown, its source first.

    That is the MRI (or another source that the entry names) alone, but for a local regression,
    which is shown the maps that its features are made of too, and a U-Net with `maps`.
    """
    source, generator = entry.get("source", "mri"), entry["generator"]
    named = generator["features"] if generator["name"] == LOCAL else generator.get("maps", ())
    return [source, *(name for name in named if name != source)]


def check_maps(system: str, models: Mapping[str, Any]) -> None:
    """Check the maps that models are shown beside the MRI, and settings of local regressions.

    Raises
    ------
    InputError
        The dataset of the system's space has no such map, recipe and generator are not of one
        kind, or another recipe has a setting of this one, or a recipe takes no maps.
    """
    space = SYSTEMS[system].space
    for name, entry in models.items():
        where, generator = f"{system}.models.{name}", entry["generator"]
        if (entry["recipe"] == LOCAL) != (generator["name"] == LOCAL):
            raise InputError(
                f"{where}: the recipe {LOCAL} and the generator {LOCAL} go together alone; here "
                f"they are {entry['recipe']} and {generator['name']}"
            )
        for key in ("window_mm", "ridge"):
            if key in entry and entry["recipe"] != LOCAL:
                raise InputError(f"{where}.{key}: is a setting of the recipe {LOCAL} alone")
        key = "features" if generator["name"] == LOCAL else "maps"
        named = generator.get(key, ())
        if named and key == "maps" and (generator["name"], entry["recipe"]) != (MEAN, WITH_MAPS):
            raise InputError(
                f"{where}.generator.maps: a {MEAN} of the recipe {WITH_MAPS} alone is shown maps, "
                f"and this is a {generator['name']} of the recipe {entry['recipe']}"
            )
        for own in named:
            if own not in SPACES[space].maps:
                known = ", ".join(SPACES[space].maps) or "none that a model may be shown so"
                raise InputError(
                    f"{where}.generator.{key}.{own}: the {space} dataset has no such map; it "
                    f"has {known}"
                )


def told(entry: Mapping[str, Any]) -> list[str]:
    """Return what a model is told of a person beside the MRI: age, sex, diagnosis or nothing.

    PET made by a model that is told the diagnosis shows it, and a classifier tested on such PET is
    told the answer: these models are not among those of the diagnosis tables.
    """
    side = entry["generator"].get("side")
    return list(side.get("attributes", ATTRIBUTES)) if side else []
