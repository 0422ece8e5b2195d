"""From a model's entry in the configuration to a network.

A model of one's own is a file in this folder: its configuration then says `name: file.Class`.
"""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mri2pet.config.by_name import check_name, find, symbol
from mri2pet.errors import InputError

if TYPE_CHECKING:
    from torch import nn

    from mri2pet.models.side import SideInformation

KIND = "network"  # what messages call one
MODELS = {
    "gla_gan": "gla_gan.GlaGan",
    "gla_gan_discriminator": "gla_gan.GlaGanDiscriminator",
    "unet3d": "unet3d.UNet3d",
    "cvae": "cvae.CVae",
    "cycle_gan": "cycle_gan.CycleGanGenerator",
    "cycle_gan_discriminator": "cycle_gan.CycleGanDiscriminator",
    "resnet": "resnet.ResnetGenerator",
    "patch_gan": "resnet.PatchGan",
    "dual_glow": "dual_glow.DualGlow",
    "siamese": "siamese.PatchAutoencoder",
    "ixi_generator": "ixi.IxiGenerator",
    "ixi_discriminator": "ixi.IxiDiscriminator",
    "local_regression": "local_regression.LocalRegression",
    "rectified_flow": "rectified_flow.RectifiedFlow",
}


def symbol_of(name: str) -> str:
    """Return where a network is defined, e.g. `mri2pet.models.unet3d:UNet3d` for `unet3d`."""
    return symbol(__package__, MODELS, name)


def check_network_name(where: str, name: str) -> None:
    """Raise `InputError`, with the key of the configuration, if there is no such network."""
    check_name(where, KIND, __package__, MODELS, name)


def build(config: Mapping[str, Any]) -> "nn.Module":
    """Make a network from its configuration.

    Parameters
    ----------
    config
        `name`: a key of `MODELS` or `file.Class` within this folder; all else goes to the class.

    Returns
    -------
    torch.nn.Module
        With weights drawn from torch's global random state.

    Raises
    ------
    InputError
        If there is no such network, or it does not take one of the settings.
    """
    settings = {key: value for key, value in config.items() if key != "name"}
    name = str(config.get("name", ""))
    network = find("config", KIND, __package__, MODELS, name)
    try:
        return network(**settings)
    except (TypeError, ValueError) as error:
        raise InputError(f"config: model '{name}' cannot be made of {settings}: {error}") from error


def side_information(config: Mapping[str, Any]) -> "SideInformation | None":
    """Make what reads a network's side information off a visits table.

    Parameters
    ----------
    config
        Of the network, as for `build`; its key `side`.

    Returns
    -------
    SideInformation or None
        None for a network that takes none.

    Raises
    ------
    InputError
        If `side` has a setting that there is not.
    """
    settings = config.get("side")
    if settings is None:
        return None
    # By name, so that a change of it concerns the networks that use it alone.
    module = importlib.import_module(f"{__package__}.side")
    try:
        return module.SideInformation(**settings)
    except TypeError as error:
        raise InputError(
            f"config: side information cannot be made of {settings}: {error}"
        ) from error
