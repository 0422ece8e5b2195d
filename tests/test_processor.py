"""The settings by which CI computes as another processor does."""

import importlib.util
import os
import subprocess
import sys

import pytest
import torch


@pytest.fixture(scope="module")
def processor(root):
    spec = importlib.util.spec_from_file_location("processor", root / ".ci/processor.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("capability", "expected"), [("AVX512", ("avx2", "AVX2")), ("AVX2", ("default", "COMPATIBLE"))]
)
def test_the_path_is_not_the_machines_own(processor, capability, expected):
    path = processor.other_path(capability)
    assert (path["ATEN_CPU_CAPABILITY"], path["MKL_CBWR"]) == expected
    assert not any(" " in value for value in path.values())  # or `env` would part them


@pytest.mark.parametrize("capability", ["DEFAULT", "SVE256", "VSX"])
def test_where_no_other_path_is_known_none_is_set(processor, capability):
    assert processor.other_path(capability) == {}


def test_torch_takes_the_path(processor):
    path = processor.other_path(torch.backends.cpu.get_cpu_capability())
    if not path:
        pytest.skip("no other path is known for this processor")
    tell = "import torch; print(torch.backends.cpu.get_cpu_capability())"
    command = [sys.executable, "-c", tell]
    done = subprocess.run(
        command, env=os.environ | path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == path["ATEN_CPU_CAPABILITY"].upper()
