"""Jobs that start in copies of a ready Python behave as those that Snakemake starts itself."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SNAKEFILE = """
from mri2pet.starts.hook import start_warm
WARM = start_warm(lambda rule: "tools", {"tools": ["fractions"]})
rule job:
    output: "{name}.txt"
    threads: config.get("threads", 1)
    params: answer=42
    script: "job.py"
"""
TELL = """
import os, sys
told = [__name__, os.path.basename(__file__), os.path.basename(sys.argv[0])[-6:], len(sys.argv)]
told += [os.getcwd(), os.path.basename(sys.path[0]), os.environ["OMP_NUM_THREADS"]]
told += [snakemake.params.answer, snakemake.wildcards.name, snakemake.threads]
told += [sys.modules["__main__"].snakemake is snakemake, "mri2pet" in sys.modules]
print("told:", *told)
print("to stderr", file=sys.stderr)
open(snakemake.output[0], "w").write(f"{os.getpid()} {'fractions' in sys.modules}")
"""
WAIT = """
import os, time
open("process.txt", "w").write(str(os.getpid()))
time.sleep(60)
"""


@pytest.fixture
def call(root, tmp_path):
    """Start Snakemake on a script; waits for its end unless told not to."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)

    def start(script, *arguments, wait=True, **environment):
        (tmp_path / "job.py").write_text(script)
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(root / "src"), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        if not wait:
            return process
        said, _ = process.communicate(timeout=60)
        return process.returncode, said

    return start


def until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def process_of(folder: Path) -> int:
    path = folder / "process.txt"
    until(lambda: path.exists() and path.read_text())
    return int(path.read_text())


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_script_finds_what_it_finds_in_a_python_of_its_own(call, tmp_path):
    code, warm = call(TELL, "a.txt")
    assert code == 0, warm
    assert (tmp_path / "a.txt").read_text().endswith(" True")
    (tmp_path / "a.txt").unlink()
    code, cold = call(TELL, "a.txt", MRI2PET_COLD_START="1")
    assert code == 0, cold
    assert (tmp_path / "a.txt").read_text().endswith(" False")
    found = [re.search(r"^told: .*", said, re.M)[0] for said in (warm, cold)]
    assert found[0] == found[1]
    assert "__main__ job.py" in found[0]
    assert all("\nto stderr\n" in said for said in (warm, cold))


def test_jobs_are_processes_of_one_server(call, tmp_path):
    script = TELL.replace("os.getpid()", "os.getppid()")
    code, said = call(script, "a.txt", "b.txt", "c.txt")
    assert code == 0, said
    assert len({(tmp_path / f"{name}.txt").read_text() for name in "abc"}) == 1


@pytest.mark.parametrize(("brief", "shown"), [("1", 0), ("", 1)])
def test_ctrl_c_before_a_log_is_open_is_told_by_the_console_alone(call, tmp_path, brief, shown):
    process = call(WAIT, "a.txt", wait=False, MRI2PET_BRIEF=brief)
    os.kill(process_of(tmp_path), signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode and said.count("\nKeyboardInterrupt") == shown, said


def test_other_errors_are_shown_beside_a_console(call):
    code, said = call("raise ValueError('planted')", "a.txt", MRI2PET_BRIEF="1")
    assert code and "\nValueError: planted" in said
    from mri2pet.logs import BRIEF
    from mri2pet.starts import server

    assert server.BRIEF == BRIEF


LEFT = """
import atexit, os, sys, threading, time, weakref
path = snakemake.output[0]
handle = open(path, "w")
handle.write("unflushed ")
def late(word):
    open(path + ".late", "a").write(word)
class Thing: pass
thing = Thing()
weakref.finalize(thing, late, "finalizer ")
atexit.register(late, "atexit ")
threading.Thread(target=lambda: (time.sleep(0.5), late("thread "))).start()
print("said without a newline", end="")
"""


@pytest.mark.parametrize("cold", ["", "1"])
def test_what_python_does_at_its_end_is_done(call, tmp_path, cold):
    code, said = call(LEFT, "a.txt", MRI2PET_COLD_START=cold)
    assert code == 0, said
    assert "said without a newline" in said
    assert (tmp_path / "a.txt").read_text() == "unflushed "
    late = (tmp_path / "a.txt.late").read_text().split()
    assert late[0] == "thread" and set(late) == {"thread", "atexit", "finalizer"}


def test_jobs_with_more_threads_start_as_usual(call, tmp_path):
    code, said = call(TELL, "a.txt", "--config", "threads=2")
    assert code == 0, said
    assert (tmp_path / "a.txt").read_text().endswith(" False")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("import sys; sys.exit(3)", "exit status 3"),
        ("import sys; sys.exit('a message')", "a message"),
        ("raise ValueError('of the script')", "ValueError: of the script"),
        ("import os; os.kill(os.getpid(), 15)", "SIGTERM"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL"),
    ],
)
def test_a_script_that_fails_fails_its_job(call, tmp_path, script, expected):
    code, said = call(script, "a.txt")
    assert code != 0
    assert expected in said
    _, cold = call(script, "a.txt", MRI2PET_COLD_START="1")
    assert expected in cold


def test_a_killed_snakemake_takes_server_and_job_along(call, tmp_path):
    snakemake = call(WAIT, "a.txt", wait=False)
    job = process_of(tmp_path)
    server = parent_of(job)
    assert parent_of(server) == snakemake.pid
    os.kill(snakemake.pid, signal.SIGKILL)
    until(lambda: is_gone(job) and is_gone(server))
    snakemake.communicate()


def test_ctrl_c_ends_the_job(call, tmp_path):
    snakemake = call(WAIT, "a.txt", wait=False)
    job = process_of(tmp_path)
    os.killpg(snakemake.pid, signal.SIGINT)
    said, _ = snakemake.communicate(timeout=30)
    assert snakemake.returncode != 0, said
    until(lambda: is_gone(job))


def test_a_killed_client_takes_its_job_along(call, tmp_path):
    snakemake = call(WAIT, "a.txt", wait=False)
    job = process_of(tmp_path)
    server = parent_of(job)
    (client,) = (
        int(each)
        for path in Path(f"/proc/{snakemake.pid}/task").glob("*/children")
        for each in path.read_text().split()
        if int(each) != server
    )
    os.kill(client, signal.SIGKILL)
    said, _ = snakemake.communicate(timeout=30)
    assert snakemake.returncode != 0, said
    assert is_gone(job)


def test_after_a_killed_server_the_next_job_has_a_new_one(call, tmp_path):
    once = """
import os, pathlib, signal
if not pathlib.Path("killed").exists():
    pathlib.Path("killed").touch()
    os.kill(os.getppid(), signal.SIGKILL)
    import time; time.sleep(60)
pathlib.Path(snakemake.output[0]).touch()
"""
    code, said = call(once, "a.txt", "--retries", "1")
    assert code == 0, said
    assert "process that runs the jobs has ended" in said
    assert (tmp_path / "a.txt").exists()


def test_sockets_vanish_with_snakemake(call, tmp_path):
    there = tmp_path / "t"
    there.mkdir()
    code, said = call(TELL, "a.txt", TMPDIR=str(there))
    assert code == 0, said
    assert not list(there.glob("mri2pet-*"))


def test_the_processors_time_of_jobs_counts_as_snakemakes(call, tmp_path):
    busy = """
import pathlib, time
while time.process_time() < 5:
    sum(range(100000))
pathlib.Path(snakemake.output[0]).touch()
"""

    def seconds():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = seconds()
    code, said = call(busy, "a.txt")
    assert code == 0, said
    assert seconds() - before > 5


def test_a_killed_snakemake_leaves_no_socket(call, tmp_path):
    there = tmp_path / "t"
    there.mkdir()
    snakemake = call(WAIT, "a.txt", wait=False, TMPDIR=str(there))
    process_of(tmp_path)
    assert list(there.glob("mri2pet-*/*"))
    os.kill(snakemake.pid, signal.SIGKILL)
    snakemake.communicate()
    until(lambda: not list(there.glob("mri2pet-*")))


def test_names_may_be_long_and_odd(call, tmp_path):
    there = tmp_path / ("long; $(touch pwned) 'q' " * 6)
    there.mkdir()
    code, said = call(TELL, "a.txt", TMPDIR=str(there), ODD="a=b\nc\u00e9")
    assert code == 0, said
    assert (tmp_path / "a.txt").read_text().endswith(" True")


def test_without_its_server_a_client_runs_the_script_itself(root, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import sys; print('ran', sys.argv[1:]); sys.exit(3)")
    client = root / "src/mri2pet/starts/client.py"
    command = [sys.executable, "-I", "-S", client, tmp_path / "none", script, "more"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "ran ['more']\n")
