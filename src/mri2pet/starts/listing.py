"""Let Snakemake list some ten thousand jobs in less time and memory.

Some of its functions do for every job what need be done once for a rule or a function, or keep an
empty container of its own for every file. Those put in their place return the same; what they
replace is no interface of Snakemake, so with one that was not tested nothing is replaced. Nor is
it where the variable MRI2PET_PLAIN_LISTING is set.

One thing is seen: a dry run without a cluster shows no groups of jobs, as a run without one makes
none.
"""

import gc
import hashlib
import inspect
import os
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from mri2pet.starts.hook import TESTED

PLAIN = "MRI2PET_PLAIN_LISTING"
MARK = "7781e247b83972a8"  # what `listing_mark` says of the tested versions
# Python looks for cycles to free after so many new containers; a graph of jobs has few to free, and
# with Python's own numbers (700, 10, 10) the looking takes a tenth of the time.
COLLECT = (100_000, 50, 100)
EMPTIED = (
    "temp_output",
    "protected_output",
    "touch_output",
    "pipe_or_service_output",
    "_queue_input",
)
NOTHING = frozenset()
FOR_ALL = "same_for_all_jobs"  # attribute of a resource's function that no wildcard changes


def replaced() -> list[Any]:
    """Return what of Snakemake is replaced, or must be as it was for that."""
    import snakemake.api  # noqa: F401 (the others import each other in a circle, which this begins well)
    from snakemake import common, dag, iocontainers, jobs, rules
    from snakemake.io import AnnotatedString, _IOFile

    return [
        common.get_function_params,
        dag.DAG.update_,
        dag.ScriptProcessor.process_job,
        iocontainers.AttributeGuard,
        jobs.Job.__init__,
        jobs.Job.conda_env_spec.fget,
        jobs.Job.output_mintime.fget,
        jobs.Job.add_aux_resource,
        rules.Rule.expand_conda_env,
        rules.Rule.expand_resources,
        rules.Rule.group.fget,
        AnnotatedString,
        _IOFile.__eq__,
        _IOFile.__hash__,
        _IOFile.clone_flags,
        _IOFile.flags.fget,
    ]


def listing_mark() -> str:
    """Return a hash of the sources of all that `replaced` names; nothing where one is gone."""
    try:
        text = "".join(inspect.getsource(each) for each in replaced())
    except (AttributeError, ImportError, OSError, TypeError):
        return ""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def list_lean() -> bool:
    """Replace those functions from now on; tell whether it did."""
    gc.set_threshold(*COLLECT)
    import snakemake
    from snakemake.jobs import Job

    if os.environ.get(PLAIN):
        return False
    if hasattr(Job.__init__, "plain"):  # by an earlier call
        return True
    if snakemake.__version__ not in TESTED or listing_mark() != MARK:
        return False
    share_guards()
    read_signatures_once()
    look_at_scripts_once()
    ask_for_environments_once()
    leave_out_groups()
    read_times_in_turn()
    share_empty_containers()
    share_edges()
    share_resources()
    return True


def share_guards() -> None:
    """Have one `AttributeGuard` of a name for all lists of files."""
    from snakemake.iocontainers import AttributeGuard

    shared: dict[str, AttributeGuard] = {}

    def new(cls: type, name: str | None = None) -> AttributeGuard:
        if name is None:  # a copy, whose name follows
            return object.__new__(cls)
        if name not in shared:
            shared[name] = object.__new__(cls)
        return shared[name]

    AttributeGuard.__new__ = new


def read_signatures_once() -> None:
    """Keep the parameters of a function, those of a method by the function behind it."""
    from snakemake import common, jobs, rules

    plain = common.get_function_params
    functions, methods = WeakKeyDictionary(), WeakKeyDictionary()

    def get_function_params(func: Callable) -> Any:
        method = inspect.ismethod(func)
        known, key = (methods, func.__func__) if method else (functions, func)
        try:
            return known[key]
        except KeyError:
            known[key] = plain(func)
            return known[key]
        except TypeError:  # cannot be a key
            return plain(func)

    for module in (common, jobs, rules):
        module.get_function_params = get_function_params


def look_at_scripts_once() -> None:
    """Look once whether the script of a rule is there, unless its name depends on the job."""
    from snakemake.dag import ScriptProcessor

    plain = ScriptProcessor.process_job

    def process_job(self: Any, job: Any) -> None:
        script = getattr(job.rule, self.script_type)
        if script is None or getattr(job.rule, "script_seen", None) == str(script):
            return
        plain(self, job)
        if "{" not in str(script):
            job.rule.script_seen = str(script)

    ScriptProcessor.process_job = process_job


def ask_for_environments_once() -> None:
    """Work out no parameters of a job to learn an environment that its rule knows already."""
    from snakemake.jobs import Job
    from snakemake.rules import _NOT_CACHED

    plain = Job.conda_env_spec.fget

    def conda_env_spec(self: Any) -> Any:
        known = self.rule._expanded_conda_env
        return plain(self) if known is _NOT_CACHED else known

    Job.conda_env_spec = property(conda_env_spec)


def leave_out_groups() -> None:
    """Make no groups in a dry run that is of no cluster: `--jobs` of one sets how many nodes."""
    from snakemake.rules import Rule

    plain = Rule.group.fget

    def group(self: Any) -> Any:
        return None if self.workflow.resource_settings.nodes is None else plain(self)

    Rule.group = property(group, Rule.group.fset)


def read_times_in_turn() -> None:
    """Ask for the times of a job's outputs one by one, without a task for each of all jobs."""
    from snakemake.jobs import Job

    async def output_mintime(self: Any) -> float | None:
        files = [*self.output, *([self.benchmark] if self.benchmark else [])]
        times = [(await file.mtime()).local_or_storage() for file in files if await file.exists()]
        return min((time for time in times if time is not None), default=None)

    Job.output_mintime = property(output_mintime)


def share_empty_containers() -> None:
    """Let files without flags be plain strings, and jobs without special outputs share one set."""
    from snakemake.io import AnnotatedString
    from snakemake.jobs import Job

    plain = Job.__init__
    names: dict[str, str] = {}

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **kwargs)
        for name in EMPTIED:
            if not getattr(self, name):
                setattr(self, name, NOTHING)
        for file in (*self.input, *self.output):
            text = file._file
            if type(text) is AnnotatedString and not text.flags and text.callable is None:
                text = str(text)
                file._file = names.setdefault(text, text)

    init.plain = plain
    Job.__init__ = init


def share_edges() -> None:
    """Have one set of files between two jobs, seen from either of them; they are always equal."""
    from snakemake.dag import DAG

    plain = DAG.update_

    async def update_(self: Any, job: Any, *args: Any, **kwargs: Any) -> None:
        await plain(self, job, *args, **kwargs)
        for dependency, files in self.dependencies.get(job, {}).items():
            self.depending[dependency][job] = files

    DAG.update_ = update_


def share_resources() -> None:
    """Evaluate the resources of a rule once an attempt, where no wildcard changes one.

    Snakemake adds to those of a job with files that it updates in place: they have their own.
    """
    from snakemake.io import is_flagged
    from snakemake.rules import Rule

    plain = Rule.expand_resources

    def same_for_all(rule: Any) -> bool:
        files = [*rule.input, *rule.output]
        if any(is_flagged(file, flag) for file in files for flag in ("update", "before_update")):
            return False
        return all(
            not resource.is_evaluable()
            or resource.raw == "system_tmpdir"
            or getattr(resource._evaluator, FOR_ALL, False)
            for resource in rule.resources.values()
        )

    def expand_resources(
        self: Any, wildcards: Any, input: Any, attempt: int, skip_evaluation: Any = None
    ) -> Any:
        if not hasattr(self, "shared_resources"):
            self.shared_resources = {} if same_for_all(self) else None
        known, key = self.shared_resources, (attempt, frozenset(skip_evaluation or ()))
        if known is None:
            return plain(self, wildcards, input, attempt, skip_evaluation)
        if key not in known:
            known[key] = plain(self, wildcards, input, attempt, skip_evaluation)
        return known[key]

    Rule.expand_resources = expand_resources
