"""Tests that share two processes: what stays together, and that nothing outlives them."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

# A stand-in for pytest: it starts what `small_run.py` is, which starts a job.
TESTS = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]], start_new_session=True).wait()
"""
RUN = """
import os, subprocess, sys, threading
from small_run import end_with
threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
job = subprocess.Popen(["sleep", "600"])
with open(sys.argv[1] + ".part", "w") as file:
    file.write(f"{os.getpid()} {job.pid}")
os.rename(sys.argv[1] + ".part", sys.argv[1])
job.wait()
"""


@pytest.fixture
def shared(root, request):
    """Return what tests/conftest.py says."""
    return request.config.pluginmanager.get_plugin(str(root / "tests/conftest.py"))


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_small_run_ends_with_the_tests(root, tmp_path, how):
    told = tmp_path / "processes"
    python = os.pathsep.join(str(root / part) for part in ("src", "tests/workflow"))
    tests = subprocess.Popen(
        [sys.executable, "-c", TESTS, RUN, str(told)],
        env=os.environ | {"PYTHONPATH": python},
        stderr=subprocess.DEVNULL,
    )
    while not told.exists():
        assert tests.poll() is None
        time.sleep(0.05)
    processes = [int(word) for word in told.read_text().split()]
    assert not any(map(is_gone, processes))
    tests.send_signal(how)
    tests.wait(60)
    for _ in range(400):
        if all(map(is_gone, processes)):
            return
        time.sleep(0.05)
    pytest.fail(f"{processes} outlived the tests")


def test_a_file_is_one_workers(root):
    """Groups that pytest-xdist reads out of marks are lost with pytest 9.2, and nothing fails."""
    files = ["tests/test_files.py", "tests/test_exclusion.py", "tests/test_start_costs.py"]
    command = [sys.executable, "-m", "pytest", "-n", "2", "-vv", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *files], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    ran = set(re.findall(r"\[(gw\d)\].* PASSED (tests/\w+\.py)", done.stdout))
    assert sorted(file for _, file in ran) == sorted(files)
    assert {worker for worker, _ in ran} == {"gw0", "gw1"}


def test_what_needs_the_small_run_is_one_workers(shared):
    config = SimpleNamespace(option=SimpleNamespace(), getvalue=lambda _: ["popen", "popen"])
    scope = shared.pytest_xdist_make_scheduler(config, None)._split_scope
    whole = {scope(f"tests/workflow/{name}::test_a[x::y]") for name in shared.WHOLE_RUN}
    assert whole == {"whole run"}
    assert scope("tests/workflow/test_too_few.py::test_a") not in whole
    assert config.option.loadscopereorder is False


def test_a_file_that_needs_the_small_run_unlisted_is_refused(shared, root, request):
    item = SimpleNamespace(
        path=root / "tests/workflow/test_another.py",
        fixturenames=["finished", "begun_run"],
        get_closest_marker=lambda _: None,
    )
    with pytest.raises(pytest.UsageError, match=r"test_another\.py is to stand in WHOLE_RUN"):
        shared.pytest_collection_modifyitems(request.config, [item])
    item.path = item.path.with_name("test_reruns.py")
    shared.pytest_collection_modifyitems(request.config, [item])
