"""Snakemake lists and makes the same with what is replaced in it as without."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
import snakemake

from mri2pet.starts import listing

# All that a replaced function looks at: flags of files, functions of resources and of parameters,
# a checkpoint, a file that is updated in place, a benchmark, groups, and scripts by wildcard.
SNAKEFILE = """
from mri2pet.starts.listing import FOR_ALL, list_lean
print("lean", list_lean(), file=sys.stderr)

def more(wildcards, attempt):
    return 10 * attempt
setattr(more, FOR_ALL, True)

rule all:
    input: expand("{n}.made", n=range(3)), "folder", "total", "scripted_a", "sort"

checkpoint names:
    output: "names.txt"
    shell: "echo 1 2 > {output}"

def named(wildcards):
    return expand("{n}.made", n=open(checkpoints.names.get().output[0]).read().split())

rule one:
    output: temp("{n}.one"), touch("{n}.touched")
    resources: mem_mb=more
    group: "g"
    shell: "echo {wildcards.n} {resources.mem_mb} > {output[0]}"

rule make:
    input: "{n}.one", kept=ancient("{n}.touched")
    output: protected("{n}.made")
    resources: mem_mb=lambda wildcards, attempt: 100 + int(wildcards.n), runtime=5
    params: twice=lambda wildcards, input: 2 * len(input)
    benchmark: "{n}.benchmark"
    group: "g"
    shell: "echo {params.twice} {resources.mem_mb} {input.kept} > {output}"

rule folder:
    input: named
    output: directory("folder")
    shell: "mkdir -p folder; cat {input} > folder/all"

rule begin:
    output: update("begun")
    resources: mem_mb=more
    shell: "echo 1 >> {output}"

rule total:
    input: before_update("begun")
    output: "total"
    resources: mem_mb=more
    shell: "cp {input} {output}"

rule scripted:
    output: "scripted_{which}"
    script: "{wildcards.which}.py"

rule names_of_methods:
    input: index="begun"
    output: sort="sort"
    shell: "cat {input.index} > {output.sort}"
"""


@pytest.fixture
def toy(tmp_path, root):
    """Return a function that calls Snakemake in a folder and returns what it says."""

    def call(name: str, *arguments: str, plain: bool = False) -> str:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "Snakefile").write_text(SNAKEFILE)
        if not (folder / "begun").exists():
            (folder / "begun").write_text("0\n")
        (folder / "a.py").write_text("open(snakemake.output[0], 'w').write('a')")
        env = {key: value for key, value in os.environ.items() if key != listing.PLAIN}
        env |= {"PYTHONPATH": str(root / "src")} | ({listing.PLAIN: "1"} if plain else {})
        command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said = done.stdout + done.stderr
        assert f"lean {not plain}" in said
        return said

    return call


def listed(said: str) -> list[str]:
    """Return what is said of the jobs, but for the order and for what differs by chance."""
    lines = [line.strip() for line in said.splitlines() if "tmpdir" not in line]
    return sorted(
        line for line in lines if re.match(r"(rule|checkpoint|input|output|res|wil)", line)
    )


@pytest.mark.parametrize(
    "arguments",
    [("-n",), ("-n", "all", "--default-resources", "mem_mb=7"), ("-n", "--forcerun", "one")],
)
def test_the_same_jobs_are_listed(toy, arguments):
    lean, plain = toy("a", *arguments), toy("b", *arguments, plain=True)
    assert listed(lean) == listed(plain)
    assert re.findall(r"^\w+ +\d+$", lean, re.M) == re.findall(r"^\w+ +\d+$", plain, re.M)
    assert "total" in lean


def test_the_same_is_made(toy, tmp_path):
    toy("a"), toy("b", plain=True)
    made = {}
    for name in ("a", "b"):
        files = [path for path in (tmp_path / name).rglob("*") if ".snakemake" not in path.parts]
        texts = {
            str(path.relative_to(tmp_path / name)): path.read_text()
            for path in files
            if path.is_file() and path.suffix != ".benchmark"
        }
        made[name] = texts, sorted(path.name for path in files), [p.stat().st_mode for p in files]
    assert made["a"][:2] == made["b"][:2]
    assert sorted(made["a"][2]) == sorted(made["b"][2])
    assert made["a"][0]["1.made"] == "4 101 1.touched\n"
    assert not (tmp_path / "a/1.one").exists()  # temporary
    assert made["a"][0]["total"] == "0\n" and made["a"][0]["sort"] == "0\n"
    lean, plain = toy("a", "-n", "--touch"), toy("b", "-n", "--touch", plain=True)
    assert listed(lean) == listed(plain)


def test_a_second_attempt_asks_for_more(toy, tmp_path):
    text = SNAKEFILE.replace('> {output[0]}"', '> {output[0]}; [ {resources.mem_mb} = 20 ]"')
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "Snakefile").write_text(text)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--retries", "1", "0.touched"]
    env = {key: value for key, value in os.environ.items() if key != listing.PLAIN}
    command += ["--notemp"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (folder / "0.one").read_text() == "0 20\n"


def test_groups_are_listed_where_a_cluster_would_make_them(toy):
    assert "Group job g" not in toy("a", "-n")
    if find_spec("snakemake_executor_plugin_slurm"):
        assert "Group job g" in toy("a", "-n", "--executor", "slurm", "--jobs", "2")


@pytest.mark.parametrize(
    "pretended",
    [
        "import snakemake\nsnakemake.__version__ = '9.99.0'\n",
        "import snakemake.jobs\ndel snakemake.jobs.Job.output_mintime\n",
        "import snakemake.common\nsnakemake.common.get_function_params = lambda func: {}\n",
    ],
)
def test_nothing_is_replaced_in_an_unknown_snakemake(tmp_path, root, pretended):
    code = "import snakemake.api, snakemake.jobs\nwas = snakemake.jobs.Job.__init__\n" + pretended
    code += "from mri2pet.starts.listing import list_lean\nassert not list_lean()\n"
    code += "assert snakemake.jobs.Job.__init__ is was\n"
    env = os.environ | {"PYTHONPATH": str(root / "src")}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


def test_the_pinned_snakemake_is_as_tested():
    assert snakemake.__version__ in listing.TESTED
    code = "from mri2pet.starts.listing import *; print(listing_mark() == MARK)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert said.stdout.strip() == "True"
