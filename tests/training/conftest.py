import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from mri2pet.training.data import Pairs

SIDE = 16


@pytest.fixture(autouse=True)
def torch_settings():
    """Training changes global settings: put them back."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def pairs():
    """Five volumes of 16^3 whose PET is a function of the MRI."""
    generator = torch.Generator().manual_seed(0)
    mri = torch.rand(5, 1, SIDE, SIDE, SIDE, generator=generator)
    mask = torch.zeros(SIDE, SIDE, SIDE, dtype=torch.bool)
    mask[2:-2, 2:-2, 2:-2] = True
    atlas = torch.zeros(SIDE, SIDE, SIDE, dtype=torch.uint8)
    atlas[2:8, 2:-2, 2:-2], atlas[8:-2, 2:-2, 2:-2] = 1, 2
    side = {
        "age": torch.tensor([60.0, 70.0, 80.0, float("nan"), 90.0]),
        "sex": torch.tensor([0, 1, 0, 1, -1]),
        "diagnosis": torch.tensor([0, 1, 2, -1, 0]),
    }
    return Pairs(mri, (0.8 - 0.6 * mri) * mask, mask, atlas, side)


@pytest.fixture
def entry():
    """Configuration of a very small GAN."""
    return {
        "recipe": "gan",
        "generator": {"name": "gla_gan", "filters": [2, 2], "patches": 2},
        "discriminator": {
            "name": "gla_gan_discriminator",
            "filters": [2, 2, 2, 2, 2, 1],
            "strides": [2, 1, 1, 1, 2, 1],
        },
        "losses": {
            "adversarial": 0.01,
            "l1": 1.0,
            "ms_ssim": {"weight": 0.1, "window": 3},
            "roi": 1.0,
        },
        "training": {"epochs": 4, "batch_size": 2, "learning_rate": 0.01, "schedule": "cosine"},
    }


@pytest.fixture
def cycle_entry():
    """Configuration of a very small Cycle-GAN with every loss."""
    return {
        "recipe": "cycle_gan",
        "generator": {"name": "cycle_gan", "filters": [2, 2], "blocks": 1, "kernel": 3},
        "discriminator": {
            "name": "cycle_gan_discriminator",
            "filters": [2, 2, 2, 2, 1],
            "strides": [2, 1, 1, 1, 1],
        },
        "losses": {"adversarial": 1.0, "cycle": 10.0, "identity": 0.5, "l1": 2.0, "l2": 5.0},
        "pool": 3,
        "training": {"epochs": 4, "batch_size": 2, "learning_rate": 0.01, "schedule": "linear"},
    }


@pytest.fixture
def slices_entry(cycle_entry):
    """Configuration of a very small Cycle-GAN of slice triplets."""
    return {
        **cycle_entry,
        "parts": {"kind": "slices", "size": 3, "stride": 3, "per_epoch": 6},
        "generator": {"name": "resnet", "filters": [2, 3], "blocks": 1, "kernel": 3},
        "discriminator": {"name": "patch_gan", "filters": [2, 3, 1], "strides": [2, 1, 1]},
    }


@pytest.fixture
def patches_entry(slices_entry):
    """Configuration of a very small Simple-GAN of 3D patches."""
    cube = {"dimensions": 3, "channels": 1}
    return {
        **slices_entry,
        "recipe": "lsgan",
        "parts": {"kind": "patches", "size": 8, "stride": 4, "keep": 4, "per_epoch": 6},
        "generator": {**slices_entry["generator"], **cube},
        "discriminator": {**slices_entry["discriminator"], **cube, "strides": [1, 1, 1]},
        "losses": {"adversarial": 1.0, "l2": 20.0},
    }


@pytest.fixture
def flow_entry():
    """Configuration of a very small DUAL-GLOW."""
    return {
        "recipe": "dual_glow",
        "generator": {
            "name": "dual_glow",
            "depth": [1, 1],
            "width": [4, 4],
            "relation": {"width": 4, "kernel": 3},
            "grid": [SIDE] * 3,
            "wavelets": True,
            "standardise": True,
        },
        "losses": {"mri": 0.001},
        "initialisation_batch": 3,
        "training": {"epochs": 4, "batch_size": 2, "learning_rate": 0.005, "warm_up": 1},
    }


@pytest.fixture
def told_entry(flow_entry):
    """Return the same with side information."""
    told = {"side": {"groups": ["CN", "MCI", "AD"]}, "heads": {"width": 4, "blocks": 2}}
    return {
        **flow_entry,
        "generator": {**flow_entry["generator"], **told},
        "losses": {"mri": 0.001, "side": 0.01},
    }


@pytest.fixture
def entries(entry, cycle_entry, slices_entry, patches_entry, flow_entry, told_entry):
    """Return an entry of every recipe, and one of GLA-GAN's lobes, by name."""
    whole = {**entry["generator"], "patches": "lobes"}
    two = {**entry["discriminator"], "channels": 2}
    patches = {"name": "cycle_gan_discriminator", "filters": [2, 2, 1], "strides": [2, 1, 1]}
    conditional = {"recipe": "conditional_gan", "discriminator": {**patches, "channels": 2}}
    unet = {"name": "unet3d", "filters": [2, 2, 2]}
    return {
        "gan": entry,
        "regression": {**entry, "recipe": "regression"},
        "conditional_gan": {**entry, "recipe": "conditional_gan", "discriminator": two},
        "half_batch_gan": {
            **entry,
            "recipe": "half_batch_gan",
            "generator": {"name": "ixi_generator", "filters": [2, 2, 1], "kernels": [3, 3, 3]},
            "discriminator": {
                "name": "ixi_discriminator",
                "filters": [2, 2],
                "dense": [3],
                "patch": SIDE,
            },
            "losses": {
                "adversarial": 0.5,
                "l2": 1.0,
                "gradient_difference": {"weight": 1.0, "dimensions": 2},
            },
        },
        "cycle_gan": cycle_entry,
        "slices": slices_entry,
        "patches": patches_entry,
        "lsgan": {**cycle_entry, "recipe": "lsgan", "losses": {"adversarial": 1.0, "l1": 10.0}},
        "dual_glow": flow_entry,
        "dual_glow_side": told_entry,
        "lobes": {**entry, "generator": whole},
        "cvae": {
            **entry,
            "recipe": "cvae",
            "generator": {"name": "cvae", "filters": [2, 3], "code": 2},
            "losses": {"l1": 1.0, "kl": 0.05},
        },
        "rectified_flow": {
            "recipe": "rectified_flow",
            "generator": {
                "name": "rectified_flow",
                "mean": [2, 2],
                "velocity": [2, 2],
                "scales": 2,
                "steps": 2,
            },
            "losses": {"l1": 1.0},
            "training": entry["training"],
        },
        "cgan": {
            **entry,
            **conditional,
            "generator": {**unet, "skips": False},
            "losses": {"adversarial": 0.1, "l2": 1.0, "gradient_difference": 1.0},
        },
        "pix2pix": {
            **entry,
            **conditional,
            "generator": {**unet, "dropout": 0.5},
            "losses": {"adversarial": 1.0, "l1": 100.0},
        },
    }


@pytest.fixture
def lobed(pairs):
    """The pairs with an atlas that has a label of every lobe."""
    columns = (torch.arange(SIDE)[:, None, None].expand(SIDE, SIDE, SIDE) // 2 - 1).clamp(min=0)
    labels = torch.tensor([1, 29, 43, 55, 57, 91], dtype=torch.uint8)[columns.clamp(max=5)]
    return dataclasses.replace(pairs, atlas=labels * pairs.mask)


@pytest.fixture
def tables():
    """Visits of four paired subjects, one with two visits, and one with an MRI alone."""
    rows = [
        (0, "A", "bl", "paired"),
        (1, "A", "m12", "paired"),
        (2, "B", "bl", "paired"),
        (3, "C", "bl", "paired"),
        (4, "D", "bl", "paired"),
        (5, "E", "bl", "mri_only"),
        (6, "B", "m12", "mri_only"),
    ]
    visits = pd.DataFrame(rows, columns=["index", "subject", "visit", "kind"])
    folds = pd.DataFrame({"subject": list("ABCDE"), "fold": [0, 1, 2, 2, 1]})
    return visits, folds


@pytest.fixture
def dataset(tmp_path, tables):
    """Arrays of a dataset as files, by name."""
    rng = np.random.default_rng(0)
    shape = (len(tables[0]), SIDE, SIDE, SIDE)
    mask = np.zeros(shape[1:], bool)
    mask[2:-2, 2:-2, 2:-2] = True
    arrays = {
        "source": rng.random(shape, np.float32),
        "target": rng.random(shape, np.float32),
        "mask": mask,
        "atlas": (mask * rng.integers(0, 4, shape[1:])).astype(np.uint8),
    }
    paths = {name: tmp_path / f"{name}.npy" for name in arrays}
    for name, array in arrays.items():
        np.save(paths[name], array)
    return paths
