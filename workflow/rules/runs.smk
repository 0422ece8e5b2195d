"""What is said and written at the end of every run: times, failures, exclusions."""

from collections import Counter

from snakemake.logging import logger

from mri2pet.config.systems import RESERVED
from mri2pet.machine_faults import check_writable
from mri2pet.runs import gpus
from mri2pet.runs.apart import check_apart
from mri2pet.runs.console import tell_outlook
from mri2pet.runs.present import Present
from mri2pet.runs.recorder import Job, RunRecorder
from mri2pet.runs.summary import finish_run
from mri2pet.runs.time_left import Outlook

PAGE = "index.html" if BUNDLE else "report/report.html"
RECORDER = RunRecorder()
RULE_OF = workflow.modifier.modify_rulename


def still_open():
    """Return how many jobs of each rule and model are not done."""
    jobs = workflow.dag.needrun_jobs()
    return Counter((job.rule.name, job.wildcards_dict.get("model", "")) for job in jobs)


if workflow.is_main_process:
    logger.addHandler(RECORDER)
    tell_outlook(
        Outlook(
            stage_of=lambda name: Path(workflow.get_rule(name).snakefile).stem,
            still_open=still_open,
            unread=lambda: any(job.is_checkpoint for job in workflow.dag.needrun_jobs()),
            cores=workflow.resource_settings.cores or 1,
        )
    )

# On one machine a GPU has one job at a time, unless `--resources gpu=...` says otherwise; without
# one, networks are trained on the cores, and as many as there are cores for. Only a call for a
# cluster knows a number of nodes.
if workflow.is_main_process and workflow.resource_settings.nodes is None:
    if GPUS := gpus.count_gpus():
        workflow.global_resources.setdefault("gpu", GPUS)


def only_asks():
    """Tell whether a call makes nothing: an audit or a trace is no run."""
    return {job.rule.name for job in workflow.dag.jobs} <= {"audit", "trace"}


def end_of_run():
    """Write the tables of this run, and say what they hold."""
    if only_asks():
        return

    def plain(jobs):
        return [Job(job.rule.name, dict(job.wildcards_dict), 0.0) for job in jobs if job.output]

    for job in workflow.dag.jobs:
        if workflow.dag.finished(job):
            RECORDER.settle(workflow.dag.jobid(job), job.output)
    everything = any(job.rule.name in {"all", "apply"} for job in workflow.dag.jobs)
    open_ = set(workflow.dag.needrun_jobs())
    text = finish_run(
        RECORDER,
        stages={rule.name: Path(rule.snakefile).stem for rule in workflow.rules},
        undone=plain(open_),
        mended=plain(job for job in workflow.dag.jobs if job not in open_),
        known=plain(workflow.dag.jobs) if everything else None,
        results=RESULTS,
        present=Present(
            rules={rule.name for rule in workflow.rules},
            models={system: {*TRAINED[system], *RESERVED} for system in SYSTEMS},
            folds={system: len(folds_of(system)) for system in SYSTEMS},
            studies=list(STUDIES),
            rule_of=RULE_OF,
        ),
        page=f"{RESULTS}/{PAGE}" if everything else None,
        systems=SYSTEMS,
    )
    logger.info(f"\n{text}\n")


# With a limit on jobs a second, as there is by default, Snakemake 9.27 looks for jobs to start once a
# second for every job that has ended: after some hundreds that takes half a core. Files and cores
# limit this workflow; a limit that the user chose stays.
onstart:
    try:
        check_writable(RESULTS, "logs")
        if not only_asks():
            check_apart(
                "results/provenance",
                {study.name: study.simulated for study in STUDIES.values()},
            )
    except InputError as error:
        raise WorkflowError(str(error)) from None
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit is not None and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


onsuccess:
    end_of_run()


onerror:
    end_of_run()
