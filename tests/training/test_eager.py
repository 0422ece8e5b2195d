"""Optimisers step alike without torch's compiler, and it is there for whoever wants it."""

import subprocess
import sys

import pytest

CODE = """
import contextlib, sys
import torch
from mri2pet.training.settings import make_deterministic
from mri2pet.training.eager import without_compiler

make_deterministic(1)
assert torch.are_deterministic_algorithms_enabled()
assert torch.is_deterministic_algorithms_warn_only_enabled()
torch.manual_seed(0)
with {context}:
    net = torch.nn.Linear(3, 3)
    optimiser = torch.optim.{name}(net.parameters(), lr=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        net(torch.ones(2, 3)).square().sum().backward()
        optimiser.step()
    print(any(name.startswith(("torch._dynamo.", "torch._inductor")) for name in sys.modules))
print(*net.weight.detach().flatten().tolist())
print(type(sys.modules.get("torch._dynamo")).__name__)
{after}
"""


def run(context: str, name: str, after: str = "") -> list[str]:
    code = CODE.format(context=context, name=name, after=after)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("name", ["Adam", "Adamax"])
def test_weights_are_the_same_and_nothing_of_the_compiler_is_imported(name):
    slow = run("contextlib.nullcontext()", name)
    quick = run("without_compiler()", name)
    assert (slow[0], quick[0]) == ("True", "False")
    assert slow[1] == quick[1]
    assert quick[2] == "NoneType"


def test_afterwards_and_inside_the_compiler_can_be_had():
    after = """
with without_compiler():
    print(torch._dynamo.config.__name__)
print(torch.compiler.is_dynamo_compiling(), torch._dynamo.explain.__name__)
"""
    said = run("without_compiler()", "Adam", after)
    assert said[3] == "torch._dynamo.config"
    assert said[4] == "False explain"
