"""Kills jobs of the workflow as a plan says; loaded by each Python of a copied checkout.

Copied beside `mri2pet` into a checkout's `src`, which the workflow puts on PYTHONPATH. Without the
variable MRI2PET_FAULTS, a path of a plan (`fault_run.py`), it does nothing. The first jobs of a
rule to begin claim that rule's faults, each by a mark in a folder, and tell there what was done.
"""

import atexit
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
from pathlib import Path

PLAN = "MRI2PET_FAULTS"
WAIT = 10.0  # seconds in which a job must end when Snakemake is killed


class Fault:
    """One fault of one job."""

    def __init__(self, plan, job, kind, number, mark):
        self.plan, self.job, self.kind, self.mark = plan, job, kind, mark
        self.began, self.process, self.renames = time.monotonic(), os.getpid(), 0
        chance = random.Random(f"{plan['seed']} {job.rule} {number}")
        typical = plan["seconds"].get(job.rule, 1.0)
        self.delay = chance.uniform(0, typical)
        self.snakemake = kind != "memory" and chance.random() < plan["snakemake"]

    def arm(self):
        """Make the fault happen at its time, at the job's end at the latest."""
        if self.kind == "memory":
            return
        atexit.register(self.strike, "at its end")
        if self.kind == "moment" and os.fork() == 0:
            self.wait_and_strike()

    def take_memory(self):
        """Leave little memory to a job that begins its work: its imports are done."""
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + int(self.plan["memory_mb"] * 1e6)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        self.tell("at work")

    def wait_and_strike(self):
        """Be the process that kills its parent: a thread would wait for Python's lock."""
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        while time.monotonic() - self.began < self.delay:
            time.sleep(0.002)
            if os.getppid() != self.process:
                os._exit(0)  # the job was killed with another
        self.strike("at work")
        os._exit(0)

    def opens_log(self, path):
        """Tell whether a path is that of the job's log."""
        return isinstance(path, str) and path.endswith(str(self.job.log[0]))

    def renamed(self):
        """Count a file that is about to get its name: the second finds the first one there."""
        self.renames += 1
        if self.kind == "rename" and self.renames == 2 and os.getpid() == self.process:
            self.strike("between two files")

    def strike(self, when):
        """Kill the job, or Snakemake, with which the job must end."""
        if when != "at work" and os.getpid() != self.process:
            return  # a process that the job has forked
        victim = self.find_snakemake() if self.snakemake else self.process
        self.tell(when)
        os.kill(victim, signal.SIGKILL)
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline and self.is_alive() and os.getpid() != self.process:
            time.sleep(0.005)
        if os.getpid() == self.process:
            if when != "at its end":  # the kernel ends this process while it waits
                time.sleep(WAIT)
                self.tell(when, outlived=True)
        elif self.is_alive():
            self.tell(when, outlived=True)
            os.kill(self.process, signal.SIGKILL)

    def is_alive(self):
        """Tell whether the job is still there."""
        return os.getppid() == self.process

    def find_snakemake(self):
        """Return the ancestor of the job that the suite has started."""
        pid = self.process
        while pid > 1:
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            if parent == self.plan["driver"]:
                return pid
            pid = parent
        raise RuntimeError("Snakemake is no ancestor of its job")

    def tell(self, when, outlived=False):
        """Write down what was done, and which outputs were there."""
        outputs = [str(path) for path in self.job.output]
        told = {
            "rule": self.job.rule,
            "wildcards": {name: str(value) for name, value in self.job.wildcards.items()},
            "kind": self.kind,
            "victim": "Snakemake" if self.snakemake else "job",
            "when": when,
            "seconds": round(time.monotonic() - self.began, 3),
            "outputs": len(outputs),
            "there": sum(map(os.path.exists, outputs)),
            "outlived": outlived,
        }
        self.mark.write_text(json.dumps(told))


armed: list[Fault | None] = []


def take_over(plan, job):
    """Take the results of a job from another run, if no fault has struck this job; then end.

    So that what is computed is what was killed, and not all the rest beside it.
    """
    wildcards = {name: str(value) for name, value in job.wildcards.items()}
    for mark in Path(plan["marks"]).glob(f"{job.rule}.*"):
        text = mark.read_text()  # empty at the moment of another claim
        if text and json.loads(text)["wildcards"] == wildcards:
            return
    for output in map(str, job.output):
        top, inside = output.split("/", 1)
        for path in (output, f"{top}/provenance/{inside}.json"):
            source = Path(plan["others"], path)
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, path, dirs_exist_ok=True)
            else:
                shutil.copyfile(source, path)
    os._exit(0)


def claim(job):
    """Take the next fault that is planned for a job's rule, if one is left."""
    plan = json.loads(Path(os.environ[PLAN]).read_text())
    for number, kind in enumerate(plan["rules"].get(job.rule, plan["rules"].get("*", []))):
        mark = Path(plan["marks"], f"{job.rule}.{number}")
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            continue
        fault = Fault(plan, job, kind, number, mark)
        fault.tell("with another")  # until it is known better
        return fault
    if plan["others"] and job.rule not in plan["anew"]:
        take_over(plan, job)
    return None


def watch(event, arguments):
    """Arm when the job knows what it is; then look out for files that get their names."""
    if event == "import" and not armed:
        job = getattr(sys.modules.get("__main__"), "snakemake", None)
        if hasattr(job, "rule"):
            armed.append(None)
            armed[0] = claim(job)
            if armed[0] is not None:
                armed[0].arm()
    elif not armed or armed[0] is None:
        return
    elif event == "os.rename":
        armed[0].renamed()
    elif event == "open" and armed[0].kind == "memory" and armed[0].opens_log(arguments[0]):
        armed[0].take_memory()


# A Python that runs a job, or one that forks such (mri2pet.starts).
if PLAN in os.environ and any(
    ".snakemake/scripts/" in part or part.endswith("starts/server.py") for part in sys.orig_argv[1:]
):
    sys.addaudithook(watch)
