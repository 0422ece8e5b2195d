"""One log file a job, and errors that a user can read."""

import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mri2pet.errors import InputError, Mri2PetError
from mri2pet.machine_faults import check_machine, out_of_memory

PARENT = "MRI2PET_SNAKEMAKE"  # process that started the jobs, and the process namespace it is in
BRIEF = "MRI2PET_BRIEF"  # set where a console tells of failed jobs: their logs alone say it in full
NAMESPACE = Path("/proc/self/ns/pid")
_STAYS = "and start again: what is finished stays"


@contextmanager
def log_to(path: str | Path, job: Any = None) -> Iterator[None]:
    """Log to `path` and to stderr; end with exit code 1 and a plain message on a user's error.

    An error that mri2pet raises on purpose is printed as its message alone, and so is a want of
    memory. Any other error is a fault of the program: its traceback goes to the log as well as to
    stderr. Beside a console that tells of failed jobs (`BRIEF`) nothing but the log has them.

    Parameters
    ----------
    path
        The log.
    job
        Whose `rule` and `resources` stand in the advice about memory; None for a call outside of
        the workflow.
    """
    if hasattr(sys.modules["__main__"], "snakemake"):
        _end_with_snakemake()
    file_handler = _open(Path(path))
    file_handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.WARNING)
    console.setFormatter(logging.Formatter("mri2pet: %(message)s"))
    brief = bool(os.environ.get(BRIEF))
    if brief:
        console.addFilter(lambda record: record.levelno < logging.ERROR)
    logging.basicConfig(level=logging.INFO, handlers=[file_handler, console], force=True)
    logging.captureWarnings(True)
    try:
        yield
    except Mri2PetError as error:
        logging.getLogger("mri2pet").error("%s", error)
        sys.exit(1)
    except Exception as error:
        with suppress(OSError):  # of a full disk, which must not hide the error itself
            file_handler.stream.write(traceback.format_exc())
            file_handler.flush()
        if out_of_memory(error):
            logging.getLogger("mri2pet").error("%s", _memory_advice(error, job))
            sys.exit(1)
        if brief:
            sys.exit(1)
        raise
    except KeyboardInterrupt:
        if brief:
            sys.exit(130)
        raise
    finally:
        logging.shutdown()


class _LogFile(logging.FileHandler):
    """A log whose disk may be full: the job goes on to where it can say so on its own."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def _open(path: Path) -> _LogFile:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _LogFile(path, mode="w")
    except OSError as error:
        try:
            check_machine(error, path)
        except InputError as told:
            print(f"mri2pet: {told}", file=sys.stderr)
            sys.exit(1)
        raise


def _memory_advice(error: BaseException, job: Any) -> str:
    """Say what to do about a want of memory."""
    what = " ".join(str(error).split())[:300] or type(error).__name__
    if "CUDA" in what:
        advice = "take a smaller training.batch_size, or a GPU with more memory"
        return f"not enough memory on the GPU ({what}); {advice}, {_STAYS}"
    rule, resources = getattr(job, "rule", "RULE"), getattr(job, "resources", None)
    has = getattr(resources, "mem_mb", None)
    more = 2 * has if isinstance(has, int) else "MB"
    asked = f" beyond the {has} MB that {rule} asks for" if has else ""
    return (
        f"not enough memory{asked} ({what}); give it more (--set-resources {rule}:mem_mb={more}) "
        f"or let fewer jobs work at a time (--cores), {_STAYS}"
    )


def _end_with_snakemake() -> None:
    """Ask Linux to end this job if Snakemake is killed.

    A job that outlived it would write the same files as the same job of the next call. If it was
    killed before this was asked for, while the job was still importing, the job ends here.
    """
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
        if _is_orphan(os.environ.get(PARENT, "")):
            os.kill(os.getpid(), signal.SIGKILL)


def name_parent() -> None:
    """Say to all jobs, through their environment, which process starts them."""
    with suppress(OSError):
        os.environ[PARENT] = f"{os.getpid()} {NAMESPACE.readlink()}"


def _is_orphan(parent: str) -> bool:
    """Tell whether the process that started this one is gone; False where that cannot be known."""
    with suppress(OSError, ValueError):
        pid, namespace = parent.split(maxsplit=1)
        if namespace == str(NAMESPACE.readlink()):
            ancestor = os.getppid()
            while ancestor > 1 and ancestor != int(pid):
                # the name of a program, in brackets, may hold anything
                ancestor = int(
                    Path(f"/proc/{ancestor}/stat").read_text().rpartition(")")[2].split()[1]
                )
            return ancestor != int(pid)
    return False
