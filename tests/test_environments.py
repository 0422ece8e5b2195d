"""The conda route and the pip route install the same versions."""

import importlib.util
from importlib.metadata import version

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
