"""Each rule's conda environment holds every package that its script can import."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = packages_distributions()
RULE = re.compile(r"^(?:rule|checkpoint) (\w+):$(.*?)(?=^\S|\Z)", re.M | re.S)


def rules() -> list[tuple[str, str, str]]:
    found = []
    for path in sorted((ROOT / "workflow/rules").rglob("*.smk")):
        for name, body in RULE.findall(path.read_text()):
            script = re.search(r'"(?:\.\./)+scripts/([\w.]+)"', body)
            environment = re.search(r'"(?:\.\./)+envs/([\w.]+)"', body)
            assert script and environment, f"{path.name}: {name} has no script or no conda"
            found.append((name, script[1], environment[1]))
    return found


def runtime_imports(tree: ast.AST) -> set[str]:
    """Modules a file imports, but for those that only type checkers see."""
    names: set[str] = set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            names.update({node.module}, {f"{node.module}.{alias.name}" for alias in node.names})
        waiting.extend(ast.iter_child_nodes(node))
    return names


def needs(script: Path) -> set[str]:
    """Third-party packages imported by a script and by the library's modules it reaches."""
    outside: set[str] = set()
    seen: set[Path] = set()
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in runtime_imports(ast.parse(path.read_text())):
            if name.split(".")[0] == "mri2pet":
                base = ROOT.joinpath("src", *name.split("."))
                waiting += [
                    p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()
                ]
            else:
                outside.add(name.split(".")[0])
    return outside - set(sys.stdlib_module_names) - {"snakemake"}


@pytest.mark.parametrize(("rule", "script", "environment"), rules())
def test_the_environment_holds_what_the_script_imports(rule, script, environment):
    content = yaml.safe_load((ROOT / "envs" / environment).read_text())
    block = next(entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict))
    held = {canonicalize_name(Requirement(line).name) for line in block}
    missing = {
        module
        for module in needs(ROOT / "workflow/scripts" / script)
        if not {canonicalize_name(name) for name in DISTRIBUTIONS.get(module, [module])} & held
    }
    assert not missing, f"{rule}: {environment} lacks {missing}"
