"""What all tests share: paths, the atlases fetched once, one small whole run, two workers.

With `-n 2` pytest-xdist gives the tests of a file to one worker, and those that need the small
whole run to one as well: it begins the run and waits for it, while the other goes on with the rest.
"""

import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from hypothesis import settings

# The same examples at every run, and no clock: a test that fails on a busy machine tells nothing.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

TESTS = Path(__file__).parent
ROOT = TESTS.parent
# Folders and files of tests whose values rounding reaches: run again as another processor computes.
NUMERICAL = {"anomaly", "diagnosis", "evaluation", "imaging", "interpretation", "models"}
NUMERICAL |= {"synthesis", "training"}
# Among them, what ANTs or Snakemake decides, or what compares a computation with itself.
ALIKE = {"test_interpretation_config.py", "test_nonlinear_stages.py", "test_register.py"}
ALIKE |= {"test_repeatable.py", "test_syn.py"}
# What needs the small whole run, or the copy of the sources that it runs from.
WHOLE_RUN = {"test_bundles_run.py", "test_deployed.py", "test_detectors_run.py"}
WHOLE_RUN |= {"test_dual_glow_run.py", "test_judge_run.py", "test_paper_words.py"}
WHOLE_RUN |= {"test_provenance_run.py", "test_report_run.py", "test_reruns.py"}
WHOLE_RUN |= {"test_whole_run.py"}
# As in the workflow. They must be set before NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Started in the background of a script, the tests and all that they start would ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Let torch compute on one thread: small tests wait longer for a second one than it saves."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the project's folder."""
    return ROOT


@pytest.fixture
def schema(root) -> Path:
    """Return the path of the configuration's schema."""
    return root / "workflow/schemas/config.schema.yaml"


@pytest.fixture
def config(root) -> dict:
    """Return the default configuration."""
    return yaml.safe_load((root / "config/config.yaml").read_text())


@pytest.fixture(scope="session")
def once(request, tmp_path_factory) -> Callable[..., None]:
    """Return a function that runs a command in the project: one worker does, others wait."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if is_worker(request.config) else folder

    def run(name: str, *command: str, **environment: str) -> None:
        done = shared / f"{name}.done"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True)
                done.touch()

    return run


@pytest.fixture(scope="session")
def atlases(once) -> Path:
    """Return resources/atlases, made by its rule if it is not there yet."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "--nolock"]
    once("atlases", *command, "--until", "fetch_atlases")
    return ROOT / "resources/atlases"


@pytest.fixture(scope="session")
def installed(once) -> Path:
    """Return resources/installed, made as `make install` does if it is not there yet."""
    python = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "mri2pet.downloads", "resources"]
    once("installed", *command, PYTHONPATH=python)
    return ROOT / "resources/installed"


@pytest.fixture(scope="session")
def real() -> Path:
    """Return the folder of real scans; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("MRI2PET_REAL", ROOT.parent / "shared/real"))
    if not folder.is_dir():
        pytest.skip(f"real scans are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def begun_run(atlases, installed, tmp_path_factory):
    """Begin the small whole run on a copy of the sources, in a repository of their own."""
    sys.path.append(str(TESTS / "workflow"))
    from small_run import Run, begin

    sources = tmp_path_factory.mktemp("sources")
    made = (".*", "__pycache__", "*.egg-info", "atlases", "installed", "results", "logs")
    shutil.copytree(ROOT, sources, ignore=shutil.ignore_patterns(*made), dirs_exist_ok=True)
    shutil.copy(ROOT / ".gitignore", sources)
    (sources / "resources/installed").symlink_to(installed)
    git = ["git", "-C", sources, "-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    for step in ("init --quiet", "add .", "commit --quiet --message as-it-is"):
        subprocess.run([*git, *step.split()], check=True)
    run = Run(tmp_path_factory.mktemp("run"), sources)
    process = begin(run, atlases)
    yield run, process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="session", autouse=True)
def small_run_first(request: pytest.FixtureRequest) -> None:
    """Begin the small whole run if a test will need it: it takes minutes, beside other tests.

    The worker that needs it begins with it anyway.
    """
    if not is_worker(request.config) and any(map(needs_whole_run, request.session.items)):
        request.getfixturevalue("begun_run")


def needs_whole_run(item: pytest.Item) -> bool:
    return "begun_run" in getattr(item, "fixturenames", ())


def is_worker(config: pytest.Config) -> bool:
    """Tell whether this is one of several processes that pytest-xdist gives tests to."""
    return hasattr(config, "workerinput")


def pytest_collection_finish() -> None:
    """Spare what is imported by now the search for garbage, which nipype begins at each call."""
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", action="store_true", help="also the tests marked `faults`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        alike = item.path.name in ALIKE or item.get_closest_marker("slow")
        if folder in NUMERICAL and not alike:
            item.add_marker("numerical")
        if needs_whole_run(item) and item.path.name not in WHOLE_RUN:
            raise pytest.UsageError(f"{item.path.name} is to stand in WHOLE_RUN of {__file__}")
    if is_worker(config):
        long = {item.path for item in items if item.get_closest_marker("slow")}
        # what takes long first, so that no worker is left with it at the end
        items.sort(key=lambda item: (not needs_whole_run(item), item.path not in long))
    else:
        items.sort(key=needs_whole_run)  # these wait for it, so they come last
    if not config.getoption("--faults"):
        for item in items:
            if item.get_closest_marker("faults"):
                item.add_marker(pytest.mark.skip(reason="takes minutes: --faults, or make faults"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log) -> object:
    """Give the tests of a file to one worker, and those of the small whole run to one as well."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "whole run" if Path(file).name in WHOLE_RUN else file

    config.option.loadscopereorder = False  # the order is that of pytest_collection_modifyitems
    return ByFile(config, log)
