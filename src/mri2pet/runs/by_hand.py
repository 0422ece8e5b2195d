"""Run the script of one job by hand, in this process, so that a debugger can stop in it.

    python -m mri2pet.runs.by_hand results/gla_gan/tables/table1.tsv
    python -m pdb -m mri2pet.runs.by_hand TARGET --configfile config/paper/gla_gan.yaml

The job is the one that makes TARGET. It gets the object `snakemake` that it has in a run, and
writes its outputs and its log as in a run; Snakemake itself records nothing of it. Its inputs must
be there.
"""

import argparse
import contextlib
import io
import runpy
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mri2pet.errors import InputError


@dataclass(frozen=True)
class Job:
    """A job of the workflow: its script, and the object `snakemake` that the script finds."""

    script: Path
    snakemake: Any


def job_of(
    target: str,
    snakefile: str | Path = "Snakefile",
    configfiles: Sequence[str | Path] = (),
    config: Sequence[str] = (),
) -> Job:
    """Return the job that makes a file, as Snakemake would start it in the working folder.

    Parameters
    ----------
    target
        One of the job's outputs.
    snakefile
        Of the workflow.
    configfiles, config
        As behind `--configfile` and `--config`.

    Raises
    ------
    InputError
        If no rule makes the file by a script, its inputs are not there, or Snakemake finds a fault.
    """
    from snakemake.api import (
        ConfigSettings,
        DAGSettings,
        OutputSettings,
        ResourceSettings,
        SnakemakeApi,
    )
    from snakemake.cli import parse_config
    from snakemake.exceptions import RuleException, WorkflowError
    from snakemake.iocontainers import Snakemake
    from snakemake.settings.enums import Quietness
    from snakemake.settings.types import RerunTrigger

    given = ConfigSettings(config=parse_config(config), configfiles=list(map(Path, configfiles)))
    # What is upstream is taken as it is: a code that is being changed makes nothing of it outdated.
    wanted = DAGSettings(targets={target}, rerun_triggers=frozenset({RerunTrigger.MTIME}))
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        read = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=given,
            snakefile=Path(snakefile),
        )
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                read.dag(dag_settings=wanted).printrulegraph()  # finds all jobs and starts none
        except (RuleException, WorkflowError) as error:
            raise InputError(f"{target}: {error}") from error
        workflow = read._workflow
        found = [job for job in workflow.dag.jobs if target in map(str, job.output)]
        if not found or not found[0].rule.script:
            raise InputError(f"{target}: no rule makes it by a script")
        job = found[0]
        missing = sorted(str(path) for path in job.input if not Path(path).exists())
        if missing:
            first = missing[0]
            raise InputError(
                f"{target}: {len(missing)} inputs of its job are not there yet, as {first}; make "
                f"them first (snakemake --cores N {first})"
            )
        script = Path(str(job.rule.basedir), job.rule.script).resolve()
        given = (job.input, job.output, job.params, job.wildcards, job.threads, job.resources)
        about = Snakemake(*given, job.log, workflow.config, job.rule.name, None, str(script.parent))
    return Job(script, about)


def run(job: Job) -> None:
    """Run a job's script in this process."""
    for path in [*job.snakemake.output, *job.snakemake.log]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    runpy.run_path(str(job.script), init_globals={"snakemake": job.snakemake})


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser("by_hand", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", help="a file that the job makes")
    parser.add_argument("--snakefile", "-s", default="Snakefile")
    parser.add_argument("--configfile", nargs="+", default=[])
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args(arguments)
    try:
        job = job_of(asked.target, asked.snakefile, asked.configfile, asked.config)
    except InputError as error:
        sys.exit(f"mri2pet: {error}")
    run(job)


if __name__ == "__main__":
    main()
