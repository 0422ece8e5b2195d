"""One log file a job, and errors that a user can read."""

import logging
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mri2pet.errors import Mri2PetError


@contextmanager
def log_to(path: str | Path) -> Iterator[None]:
    """Log to `path` and to stderr; end with exit code 1 and a plain message on a user's error.

    An error that mri2pet raises on purpose is printed as its message alone. Any other error is a
    fault of the program: its traceback goes to the log as well as to stderr.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if hasattr(sys.modules["__main__"], "snakemake"):
        _end_with_snakemake()
    file_handler = logging.FileHandler(path, mode="w")
    file_handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.WARNING)
    console.setFormatter(logging.Formatter("mri2pet: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[file_handler, console], force=True)
    logging.captureWarnings(True)
    try:
        yield
    except Mri2PetError as error:
        logging.getLogger("mri2pet").error("%s", error)
        sys.exit(1)
    except Exception:
        file_handler.stream.write(traceback.format_exc())
        raise
    finally:
        logging.shutdown()


def _end_with_snakemake() -> None:
    """Ask Linux to end this job if Snakemake is killed.

    A job that outlived it would write the same files as the same job of the next call.
    """
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
