"""Let Snakemake start its Python scripts in copies of a Python that is ready for them.

A job of a few tenths of a second would else spend seconds on importing torch or pandas. This holds
for jobs of this machine and this environment with one thread: with conda, containers or environment
modules, with more threads or with a benchmark, jobs start as Snakemake starts them, and so they do
where the variable MRI2PET_COLD_START is set. This takes the place of one function of Snakemake,
which is no interface of it: with a Snakemake that was not tested, all jobs start cold.
"""

import contextlib
import hashlib
import inspect
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

COLD = "MRI2PET_COLD_START"
HERE = Path(__file__).parent
PATIENCE = 10.0  # seconds for a server to end
TESTED = ("9.27.0", "9.27.1")  # versions of Snakemake
MARK = "db9e82e24843c448"  # what `source_mark` says of these
REPLACED = ("execute_script", "_execute_cmd", "evaluate")  # the function, what it calls, its caller
# Imports of every job: what Snakemake puts before a script, and what nearly all scripts use.
SHARED = ("snakemake.iocontainers", "snakemake.logging", "numpy", "nibabel", "scipy.ndimage")
# What takes long to import in the jobs of each environment (envs/*.yaml).
MODULES = {
    "imaging": ("pydicom", "nipype.interfaces.dcm2nii", "ants"),
    "report": ("pandas", "matplotlib.backends.backend_agg", "nilearn.plotting"),
    "skullstrip": ("torch", "deepbet.bet"),
    "stats": ("pandas", "sklearn.svm", "sklearn.model_selection"),
    # torch's compiler, too: its optimisers import it, to tell it that they are not to be compiled
    "torch": ("pandas", "torch", "torch._dynamo", "matplotlib.backends.backend_agg"),
}
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


def end_servers(running: Mapping[str, subprocess.Popen], folder: Path) -> None:
    """End servers and wait for them, so that their time counts as that of this process's children.

    A `Servers` does so when Snakemake ends.
    """
    for server in running.values():
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            server.stdin.close()
            server.wait(PATIENCE)
    shutil.rmtree(folder, ignore_errors=True)


class Servers:
    """The servers of one process of Snakemake, each started when its first job is.

    Parameters
    ----------
    modules
        What the jobs of an environment import, by the environment's name; others start cold.
    """

    def __init__(self, modules: Mapping[str, Sequence[str]]) -> None:
        self.modules = modules
        self.folder: Path | None = None
        self.running: dict[str, subprocess.Popen] = {}
        self.lock = threading.Lock()

    def socket_of(self, environment: str) -> Path | None:
        """Return where the server of an environment listens, started if need be; None if none does.

        It listens from the start on, and answers once it has imported all.
        """
        if environment not in self.modules:
            return None
        with self.lock:
            if self.folder is None:
                self.folder = Path(tempfile.mkdtemp(prefix="mri2pet-"))
                weakref.finalize(self, end_servers, self.running, self.folder)
            path = self.folder / environment
            server = self.running.get(environment)
            if server is None or server.poll() is not None:
                path.unlink(missing_ok=True)
                self.running[environment] = self._start(path, self.modules[environment])
        return path

    def _start(self, path: Path, modules: Sequence[str]) -> subprocess.Popen:
        with socket.socket(socket.AF_UNIX) as listener:
            place = os.open(path.parent, os.O_RDONLY)  # a socket's name may be 107 bytes long
            try:
                listener.bind(f"/proc/self/fd/{place}/{path.name}")
            finally:
                os.close(place)
            listener.listen(64)
            command = [sys.executable, HERE / "server.py", str(listener.fileno()), str(path)]
            return subprocess.Popen(
                [*command, *SHARED, *modules],
                stdin=subprocess.PIPE,  # ends with this process
                pass_fds=[listener.fileno()],
                env=os.environ | ONE_THREAD,
            )


def source_mark(script: type) -> str:
    """Return a hash of those parts of Snakemake's `PythonScript` on which this module relies."""
    text = "".join(inspect.getsource(getattr(script, name)) for name in REPLACED)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def unknown(version: str, script: type | None) -> str:
    """Say what of a Snakemake was not tested; nothing if all was.

    Parameters
    ----------
    version
        Of Snakemake.
    script
        Its class `PythonScript`, None where there is none.
    """
    if version not in TESTED:
        return f"Snakemake {version} is not among those tested ({', '.join(TESTED)})"
    try:
        same = script is not None and source_mark(script) == MARK
    except (AttributeError, OSError, TypeError):  # gone, or without its source
        same = False
    return (
        "" if same else f"this Snakemake {version} starts scripts in another way than that tested"
    )


def start_warm(
    environment_of: Callable[[str], str], modules: Mapping[str, Sequence[str]] = MODULES
) -> bool:
    """Have Snakemake start scripts warm from now on; tell whether it does.

    Parameters
    ----------
    environment_of
        From the name of a rule to that of its environment.
    modules
        What the jobs of an environment import.
    """
    if os.environ.get(COLD) or not (hasattr(os, "pidfd_open") and hasattr(socket, "send_fds")):
        return False
    import snakemake
    from snakemake.logging import logger

    try:
        from snakemake.script import PythonScript
    except ImportError:
        PythonScript = None
    cold = getattr(PythonScript, "execute_script", None)
    if hasattr(cold, "cold"):  # by an earlier call
        PythonScript.execute_script = cold = cold.cold
    if reason := unknown(snakemake.__version__, PythonScript):
        logger.info(f"Every job imports its packages itself, which takes longer: {reason}.")
        return False
    servers = Servers(modules)

    def execute_script(self: Any, fname: str, edit: bool = False) -> None:
        apart = self.conda_env or self.container_img or self.env_modules or self.bench_record
        path = None
        if not apart and int(self.threads) == 1:
            path = servers.socket_of(environment_of(self.rulename))
        if path is None:
            cold(self, fname, edit)
            return
        client = [sys.executable, "-I", "-S", str(HERE / "client.py"), str(path)]
        self._execute_cmd("{client:q} {fname:q}", client=client, fname=fname, is_python_script=True)

    execute_script.cold = cold
    PythonScript.execute_script = execute_script
    return True
