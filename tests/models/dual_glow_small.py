"""A model that trains in seconds, for the tests of DUAL-GLOW."""

import torch

from mri2pet.models.dual_glow import DualGlow

SMALL = {"depth": [2, 2], "width": [6, 6], "relation": {"width": 6}, "heads": {"width": 4}}
GROUPS = ["CN", "MCI", "AD"]
SIDE = {
    "age": torch.tensor([60.0, 85.0]),
    "sex": torch.tensor([0, 1]),
    "diagnosis": torch.tensor([2, 0]),
}


def shaken(module, scale=0.1):
    """Move every parameter from its start, zeros included, as training would."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += scale * torch.randn_like(parameter) / max(1, parameter[0].numel()) ** 0.5
    return module


def make(side=True, **settings):
    """Return a small model, initialised, every weight moved from its start."""
    torch.manual_seed(0)
    model = DualGlow(**SMALL, **settings, side={"groups": GROUPS} if side else None)
    model.initialise(torch.rand(2, 1, 8, 8, 8), torch.rand(2, 1, 8, 8, 8), SIDE if side else None)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter) / parameter[0].numel() ** 0.5
    return model


def volumes(seed):
    """Return two volumes (2, 1, 8, 8, 8)."""
    torch.manual_seed(seed)
    return torch.rand(2, 1, 8, 8, 8)
