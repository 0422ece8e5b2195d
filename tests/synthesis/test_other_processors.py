"""One set of weights synthesises the same on other processors and in half precision, within bounds.

Each way runs in a process of its own, since torch chooses its code when it is loaded.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np, torch
from mri2pet.models.registry import build
torch.set_num_threads(1)
entry, precision, sides = json.loads(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
weights = Path(sys.argv[4])
torch.manual_seed(0)
network = build(entry)
draw = torch.Generator().manual_seed(1)
volume = torch.rand((2, *sides), generator=draw)
if not weights.exists():  # as after some training: no layer that begins as nothing
    if hasattr(network, "pet_norm"):
        network.mri_norm.fit(volume), network.pet_norm.fit(1 - volume)
        network.initialise(volume, 1 - volume)
    for value in network.parameters():
        with torch.no_grad():
            size = max(0.01, 0.05 * value.std(correction=0))
            value += size * torch.randn(value.shape, generator=draw)
    torch.save(network.state_dict(), weights)
network.load_state_dict(torch.load(weights))
network.eval()
with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
    np.save(sys.argv[5], network(volume).float().numpy())
"""
CUBE, SLICES = (1, 32, 32, 32), (3, 64, 64)
FLOW = {"name": "dual_glow", "depth": [2, 2, 2], "width": [16, 16, 16], "grid": [32, 32, 32]}
FLOW |= {"relation": {"width": 16, "layers": 2, "kernel": 5}, "wavelets": True}
NETWORKS = {
    "gla_gan": ({"name": "gla_gan", "filters": [4, 4, 4, 4], "patches": 4}, CUBE),
    "unet3d": ({"name": "unet3d", "filters": [4, 8, 16]}, CUBE),
    "cycle_gan": ({"name": "cycle_gan", "filters": [4, 8, 16], "blocks": 2, "kernel": 3}, CUBE),
    "ixi": ({"name": "ixi_generator"}, CUBE),
    "cvae": ({"name": "cvae", "filters": [4, 8, 16], "code": 4}, CUBE),
    "semi-3D": ({"name": "resnet", "filters": [8, 16, 32], "blocks": 2, "kernel": 5}, SLICES),
    "dual_glow": (FLOW | {"standardise": True}, CUBE),
}
WAYS = {
    "default": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "torch's own kernels": {"MRI2PET_NATIVE": "0"},
}
# Of 1, the largest difference of a voxel: sums of some thousand products in another order, and
# products of numbers of 8 bits through some ten layers.
BOUND, BOUND_BF16 = 5e-6, 0.02


def synthesise(folder, root, name: str, precision: str = "fp32", **variables: str) -> np.ndarray:
    """Return what a network makes of a volume in a process with some variables.

    The first process to do so leaves the weights in the folder, for all others.
    """
    entry, sides = NETWORKS[name]
    env = os.environ | {"PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": "1"} | variables
    command = [sys.executable, "-c", PROGRAM, json.dumps(entry), precision, json.dumps(sides)]
    command += [str(folder / "weights.pt"), str(folder / "made.npy")]
    subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return np.load(folder / "made.npy")


@pytest.fixture(scope="module", params=NETWORKS)
def usual(request, root, tmp_path_factory):
    """Return the name of a network, the folder of its weights, and what it makes here."""
    folder = tmp_path_factory.mktemp("made")
    return request.param, folder, synthesise(folder, root, request.param)


@pytest.mark.numerical
@pytest.mark.parametrize("way", WAYS)
def test_other_processors_agree(root, usual, way):
    name, folder, expected = usual
    made = synthesise(folder, root, name, **WAYS[way])
    assert expected.std() > 1e-3  # something is made
    assert np.abs(made - expected).max() <= BOUND * max(1.0, np.abs(expected).max())


# Where a processor does not multiply bfloat16, or is told not to, it takes minutes.
@pytest.mark.skipif(
    "ONEDNN_MAX_CPU_ISA" in os.environ or not torch.cpu._is_avx512_bf16_supported(),
    reason="bfloat16 would be emulated",
)
def test_half_precision_agrees(root, usual):
    name, folder, expected = usual
    made = synthesise(folder, root, name, precision="bf16")
    difference = np.abs(made - expected).max()
    assert 0 < difference <= BOUND_BF16 * max(1.0, np.abs(expected).max())
