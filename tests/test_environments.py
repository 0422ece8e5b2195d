"""The conda route and the pip route install the same versions."""

import importlib.util
import tomllib
from importlib.metadata import requires, version

import pytest
import yaml
from packaging.requirements import Requirement


@pytest.fixture(scope="module")
def pin(root):
    spec = importlib.util.spec_from_file_location("pin", root / "envs/pin.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pins(path) -> dict[str, str]:
    content = yaml.safe_load(path.read_text())
    block = next(entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict))
    needs = [Requirement(line) for line in block]
    return {need.name: str(need.specifier) for need in needs}


def test_conda_environments_are_written_from_the_lock(root, pin):
    written = {path.name: path.read_text() for path in (root / "envs").glob("*.yaml")}
    assert written == pin.environments()


def test_both_routes_pin_the_same_versions_and_these_are_installed(root, pin):
    locked = pin.locked_versions()
    for path in (root / "envs").glob("*.yaml"):
        for name, specifier in pins(path).items():
            assert specifier == f"=={locked[name]}", f"{path.name}: {name}"
            assert version(name).split("+")[0] == locked[name], f"{name} as installed"


def test_torch_is_pinned_once(root, pin):
    assert f"torch=={pin.TORCH}" in (root / "Makefile").read_text()
    assert f"torch=={pin.TORCH}" in (root / "requirements.in").read_text()
    assert "\ntorch==" not in (root / "requirements.lock").read_text()


def test_the_lock_is_told_torch_s_needs_without_those_of_cuda(root, pin):
    (told,) = tomllib.loads((root / "envs/uv.toml").read_text())["dependency-metadata"]
    assert (told["name"], told["version"]) == ("torch", pin.TORCH)
    needs = [Requirement(line) for line in requires("torch")]
    of_cuda = ("nvidia-", "cuda-", "triton")
    both = [
        str(need)
        for need in needs
        if not need.name.startswith(of_cuda) and "extra" not in str(need.marker or "")
    ]
    assert sorted(both) == sorted(str(Requirement(line)) for line in told["requires-dist"])
    assert not [name for name in pin.locked_versions() if name.startswith(of_cuda)]


def test_what_torch_needs_is_in_the_lock(root, pin):
    (told,) = tomllib.loads((root / "envs/uv.toml").read_text())["dependency-metadata"]
    for need in map(Requirement, told["requires-dist"]):
        assert need.specifier.contains(pin.locked_versions()[need.name]), need
