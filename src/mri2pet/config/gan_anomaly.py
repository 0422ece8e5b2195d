"""What only the block of the anomaly paper must fulfil in the configuration."""

from collections.abc import Mapping
from typing import Any

from mri2pet.config.ablations import RESERVED
from mri2pet.config.systems import check_names
from mri2pet.errors import InputError

ORACLE = "oracle"
UNTRAINED = ("mean_pet", ORACLE)  # whose PET a detector can learn from, too


def check(config: Mapping[str, Any]) -> None:
    """Compare the keys of the block `gan_anomaly` with each other.

    Raises
    ------
    InputError
        If a model has a name that is taken, its networks do not fit what they are to see, or a
        model of the figure or of a detector is not there.
    """
    block = config["gan_anomaly"]
    check_names("gan_anomaly", block)
    for name, entry in block["models"].items():
        parts = entry.get("parts")
        if parts is not None:
            slices = parts["kind"] == "slices"
            expected = (
                {"dimensions": 2, "channels": parts["size"]}
                if slices
                else {"dimensions": 3, "channels": 1}
            )
            for role in ("generator", "discriminator"):
                where = f"gan_anomaly.models.{name}.{role}"
                _check_sees(where, entry.get(role, {}), expected, parts["kind"])
    if (study := further_study(config)) and study not in config["studies"]:
        raise InputError(f"gan_anomaly.ixi_controls: there is no study '{study}' to take them from")
    _check_models(block)
    _check_added(block)
    _check_detectors(_sets(block), block["detector"]["plain"])
    _check_injection(block)
    for name in block["detector"]["bundles"]:
        if name not in _sets(block):
            raise InputError(
                f"gan_anomaly.detector.bundles: there is no training set '{name}'; known are "
                f"{', '.join(_sets(block))}"
            )


def training_sets(config: Mapping[str, Any], simulated: bool) -> dict[str, dict[str, Any]]:
    """Return the training sets of the run's detectors, by name.

    Parameters
    ----------
    config
        The configuration, as `check_config` lets it pass.
    simulated
        Whether the study is simulated. Of real people nobody knows the best PET, and a set that
        learns from it is left out.
    """
    return {
        name: dict(entry)
        for name, entry in _sets(config["gan_anomaly"]).items()
        if simulated or entry.get("synthetic") != ORACLE
    }


def _sets(block: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the training sets but those that a configuration laid over another takes out."""
    sets = block["detector"]["training_sets"]
    return {name: entry for name, entry in sets.items() if entry is not None}


def _check_detectors(sets: Mapping[str, Any], plain: Mapping[str, Any]) -> None:
    """Refuse names that two rows of the table would have, and training sets that are not there."""
    for name, entry in plain.items():
        key = f"gan_anomaly.detector.plain.{name}"
        if name in sets:
            raise InputError(f"{key}: a training set has the name, too; give it another")
        wanted = entry.get("training_set")
        if wanted is not None and wanted not in sets:
            raise InputError(
                f"{key}.training_set: there is no training set '{wanted}'; known are "
                f"{', '.join(sets)}"
            )
    for name in (*sets, *plain):
        if name.startswith(("chance_", "shuffled_")):
            raise InputError(
                f"gan_anomaly.detector: '{name}' begins as a row of the table of chance does; "
                "give the detector another name"
            )


def further_study(config: Mapping[str, Any]) -> str:
    """Return the study of IXI if people of it are controls with an MRI alone; empty if not."""
    if not config["gan_anomaly"]["ixi_controls"]:
        return ""
    return config.get("ixi", {}).get("study", "ixi")


def configuration(entry: Mapping[str, Any]) -> str:
    """Return by what its networks see what the anomaly paper calls a model's configuration."""
    parts = entry.get("parts")
    return {"slices": "semi-3D", "patches": "3D-patch"}[parts["kind"]] if parts else "3D"


def _check_models(block: Mapping[str, Any]) -> None:
    """Look for the models that the figure and the training sets name."""
    used = {
        f"detector.training_sets.{name}.synthetic": entry.get("synthetic")
        for name, entry in _sets(block).items()
        if entry.get("synthetic") not in UNTRAINED
    }
    plain = block["detector"]["plain"]
    used |= {f"detector.plain.{name}.model": each.get("model") for name, each in plain.items()}
    for key, model in [*used.items(), *(("example", model) for model in block["example"])]:
        if model is not None and model not in block["models"]:
            known = [*block["models"], *(UNTRAINED if "training_sets" in key else [])]
            raise InputError(
                f"gan_anomaly.{key}: there is no model '{model}'; known are {', '.join(known)}"
            )


def _check_added(block: Mapping[str, Any]) -> None:
    """Compare what the training sets add to real PET with each other and with what there is."""
    sets, taken = _sets(block), (*block["models"], *RESERVED)
    where = "gan_anomaly.detector.training_sets"
    if all(entry.get("synthetic") == ORACLE for entry in sets.values()):
        raise InputError(f"{where}: a set beside those of the oracle is needed, of real PET")
    for name, entry in sets.items():
        if name in taken:
            raise InputError(f"{where}.{name}: the name is taken by a model; choose another one")
        if entry.get("match") and not entry.get("synthetic"):
            raise InputError(
                f"{where}.{name}.match: there is no synthetic PET to match; name a model in "
                "synthetic, or leave match out"
            )
        if entry.get("further") and not block["detector"]["further_controls"]:
            raise InputError(
                f"{where}.{name}.further: no control is held back; set "
                "gan_anomaly.detector.further_controls, or leave the set out"
            )


def _check_injection(block: Mapping[str, Any]) -> None:
    """Look for the detectors that are to find injected lesions."""
    sets = _sets(block)
    for name in block["detector"]["injection"]["detectors"]:
        if name not in sets:
            raise InputError(
                f"gan_anomaly.detector.injection.detectors: there is no training set '{name}'; "
                f"known are {', '.join(sets)}"
            )


def _check_sees(
    where: str, network: Mapping[str, Any], expected: Mapping[str, int], kind: str
) -> None:
    """Compare a network's dimensions and channels, if it has Cycle-GAN's defaults, with parts."""
    if network.get("name") not in ("resnet", "patch_gan"):
        return
    defaults = {"dimensions": 2, "channels": 3}
    for key, needed in expected.items():
        found = network.get(key, defaults[key])
        if found != needed:
            raise InputError(
                f"{where}.{key}: {found} does not fit parts.kind {kind}, which needs {needed}"
            )
