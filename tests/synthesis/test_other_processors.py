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
import numpy as np, torch
from mri2pet.models.registry import build
torch.set_num_threads(1)
entry, precision = json.loads(sys.argv[1]), sys.argv[2]
torch.manual_seed(0)
network = build(entry).eval()
draw = torch.Generator().manual_seed(1)
for value in network.parameters():  # as after some training: no layer that begins as nothing
    with torch.no_grad():
        value += 0.05 * value.std(correction=0) * torch.randn(value.shape, generator=draw)
shape = (2, entry.pop("seen", 1), *([32] * 3 if sys.argv[3] == "3" else [64, 64]))
volume = torch.rand(shape, generator=draw)
with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
    np.save(sys.argv[4], network(volume).float().numpy())
print(torch.backends.cpu.get_cpu_capability())
"""
NETWORKS = {
    "gla_gan": ({"name": "gla_gan", "filters": [4, 4, 4, 4], "patches": 4}, 3),
    "unet3d": ({"name": "unet3d", "filters": [4, 8, 16]}, 3),
    "cycle_gan": ({"name": "cycle_gan", "filters": [4, 8, 16], "blocks": 2, "kernel": 3}, 3),
    "ixi": ({"name": "ixi_generator"}, 3),
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
    """Return what a network makes of a volume in a process with some variables."""
    entry, dimensions = NETWORKS[name]
    path = folder / "made.npy"
    env = os.environ | {"PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": "1"} | variables
    command = [sys.executable, "-c", PROGRAM, json.dumps(entry), precision, str(dimensions)]
    subprocess.run([*command, str(path)], env=env, check=True, capture_output=True, text=True)
    return np.load(path)


@pytest.fixture(scope="module", params=NETWORKS)
def usual(request, root, tmp_path_factory):
    """Return the name of a network, and what it makes here."""
    return request.param, synthesise(tmp_path_factory.mktemp("made"), root, request.param)


@pytest.mark.numerical
@pytest.mark.parametrize("way", WAYS)
def test_other_processors_agree(tmp_path, root, usual, way):
    name, expected = usual
    made = synthesise(tmp_path, root, name, **WAYS[way])
    assert expected.std() > 1e-3  # something is made
    assert np.abs(made - expected).max() <= BOUND * max(1.0, np.abs(expected).max())


# Where a processor does not multiply bfloat16, or is told not to, it takes minutes.
@pytest.mark.skipif(
    "ONEDNN_MAX_CPU_ISA" in os.environ or not torch.cpu._is_avx512_bf16_supported(),
    reason="bfloat16 would be emulated",
)
def test_half_precision_agrees(tmp_path, root, usual):
    name, expected = usual
    made = synthesise(tmp_path, root, name, precision="bf16")
    difference = np.abs(made - expected).max()
    assert 0 < difference <= BOUND_BF16 * max(1.0, np.abs(expected).max())
