"""Asking the workflow which of its files it would make otherwise today."""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from mri2pet.errors import InputError

REASONS = {  # by the program's words
    "params changed": "parameters changed since",
    "set of input files changed": "its inputs are other files now",
    "rule implementation changed": "its rule runs something else now",
}


def outdated(
    program: Sequence[str], workflow: str | Path, config: Mapping[str, Any]
) -> dict[str, str]:
    """Return the files that would be made from other parameters, inputs or by another script.

    Time stamps are not asked for: hashes tell more.

    Parameters
    ----------
    program
        The command that lists a workflow's files with `--summary` (Snakemake).
    workflow, config
        The file that describes the workflow, and its configuration.

    Returns
    -------
    dict
        File to the reason.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(dict(config), file, sort_keys=False)  # parameters know an order
        file.flush()
        command = [*program, "--snakefile", workflow, "--directory", ".", "--cores", "1"]
        command += ["--nolock", "--summary", "--configfile", file.name]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"the workflow cannot be asked what changed:\n{done.stderr[-2000:]}")
    rows = [line.split("\t") for line in done.stdout.splitlines() if line]
    place = {name: column for column, name in enumerate(rows[0] if rows else ())}
    states = {row[place["output_file"]]: row[place["status"]] for row in rows[1:]}
    return {file: REASONS[state] for file, state in states.items() if state in REASONS}
