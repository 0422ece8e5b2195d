"""Before all else: where the workflow's own files lie, and how its scripts start."""

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from snakemake.logging import logger
from snakemake.sourcecache import HostingProviderFile, LocalGitFile


def checked_out(repository, ref):
    """Return a folder with the sources as of a tag, branch or commit of a repository.

    Snakemake reads a workflow out of git file by file; library, tables and lock are needed as files.
    """

    def git(*arguments):
        command = ["git", "-C", str(repository), *map(str, arguments)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    commit = git("rev-parse", "--verify", f"{ref}^{{commit}}").strip()
    folder = workflow.sourcecache.cache_path / "mri2pet" / commit
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            git("clone", "--quiet", "--no-checkout", repository, made)
            repository = made
            git("checkout", "--quiet", "--detach", commit)
            try:
                Path(made).rename(folder)
            except OSError:  # another call was first
                if not folder.is_dir():
                    raise
            else:
                Path(made).mkdir()  # for the end of the block
    return folder


def root_of(basedir):
    """Return the folder of the sources, given that of this file as Snakemake names it."""
    if isinstance(basedir, HostingProviderFile):
        return checked_out(basedir.hosted_repo.repo_clone, basedir.ref)
    if isinstance(basedir, LocalGitFile):
        return checked_out(Path(basedir.repo_path).absolute(), basedir.ref)
    return Path(basedir.get_path_or_uri(secret_free=True)).parents[1]


def source_file(path):
    """Return the path of one of the project's own files, from the working directory."""
    return os.path.relpath(ROOT / path)


def default_config():
    """Return the working directory's own configuration, else the workflow's."""
    own = "config/config.yaml"
    if Path(own).is_file():
        return own
    if workflow.is_main_process:
        logger.info(f"There is no {own} in {Path.cwd()}: that of the workflow itself is taken.")
    return source_file(own)


if workflow.modifier.path_modifier.prefix or workflow.modifier.path_modifier.modifies_prefixes:
    raise WorkflowError(
        "mri2pet cannot be a module with `prefix` or `replace_prefix`: its tables and records hold "
        "paths too, which these do not reach. Leave them out, and give each study a folder of its "
        "own (snakemake --directory)."
    )
MISSING = [name for name in ("numpy", "pandas") if find_spec(name) is None]
if MISSING:
    raise WorkflowError(
        f"Snakemake's own environment has no {' and no '.join(MISSING)}, which are needed to list "
        "the jobs, also where --sdm conda makes those of the rules: install numpy and pandas in it."
    )

ROOT = root_of(workflow.current_basedir)
LIBRARY = str(ROOT / "src")
sys.path.insert(0, LIBRARY)
# Scripts import the library of this checkout, in whatever environment they run; those of a workflow
# that this one is a module of still find theirs.
BEHIND = "" if workflow.modifier.is_main_snakefile() else os.environ.get("PYTHONPATH", "")
BEHIND = [path for path in BEHIND.split(os.pathsep) if path not in ("", LIBRARY)]
os.environ.update(PYTHONPATH=os.pathsep.join([LIBRARY, *BEHIND]))

from mri2pet.logs import name_parent
from mri2pet.starts.hook import start_warm
from mri2pet.starts.listing import list_lean


def environment_of(name):
    """Return the name of a rule's environment; nothing for a rule of a workflow that imports this."""
    found = workflow.get_rule(name)
    return Path(str(found.conda_env)).stem if found.module_globals is globals() else ""


name_parent()  # jobs end with it
# Jobs run side by side, a core each; and products of matrices add up in one order.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
start_warm(environment_of)
list_lean()
