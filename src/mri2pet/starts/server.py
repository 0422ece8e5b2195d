"""A Python that has imported the packages of one kind of job, and forks a copy of itself for each.

    python server.py DESCRIPTOR SOCKET MODULE [MODULE ...]

Run by its path, so that nothing of mri2pet is imported before a job is: jobs see the sources as
they are when they begin. A client (`client.py`) sends its standard streams, working folder,
environment and script over the listening socket DESCRIPTOR, whose name is SOCKET; what answers is
the exit status of the copy that ran the script. The copy is killed if its client goes, and all are
if standard input ends, as it does when Snakemake is gone. Linux alone: it waits by descriptors of
processes.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import io
import os
import runpy
import select
import selectors
import signal
import socket
import struct
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

LENGTH = struct.Struct("!I")  # of a request, which follows it
STATUS = struct.Struct("!i")  # as os.waitpid gives it
LIFELINE = 0
SET_PARENT_DEATH_SIGNAL = 1
BRIEF = "MRI2PET_BRIEF"  # as in mri2pet.logs: a console tells of jobs that end


@dataclass(frozen=True)
class Request:
    """A script to run, its arguments behind it, and what a process has of its own."""

    folder: bytes
    arguments: list[bytes]
    environment: list[bytes]
    streams: list[int]


@dataclass(frozen=True)
class Job:
    """A copy at work, the descriptor that tells of its end, and whoever waits for it."""

    process: int
    descriptor: int
    client: socket.socket


def preload(modules: list[str], path: Path) -> None:
    """Import modules; one that is not there is left to the jobs, which say what they miss."""
    for name in modules:
        if select.select([LIFELINE], [], [], 0)[0]:
            end(path)
        with contextlib.suppress(ImportError):
            if name == "ants":  # as the imaging modules do, without the parts that take long
                importlib.import_module("mri2pet.imaging.antsreg").deterministic_ants()
            else:
                importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "mri2pet"]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()  # the collector of each copy would touch all of it, and so double it


def receive(client: socket.socket) -> Request | None:
    """Read a request; None of a client that is gone before it has sent all of it."""
    streams: list[int] = []
    with contextlib.suppress(OSError, ValueError):
        head, streams, _, _ = socket.recv_fds(client, LENGTH.size, 3)
        (length,) = LENGTH.unpack(head.ljust(LENGTH.size, b"\0"))
        body = client.recv(length, socket.MSG_WAITALL)
        if len(streams) == 3:
            folder, count, *words = body.split(b"\0")
            arguments, environment = words[: int(count)], words[int(count) :]
            return Request(folder, arguments, environment, streams)
    for stream in streams:
        os.close(stream)
    return None


def end(path: Path) -> None:
    """Leave, and no socket behind; the last of the servers takes the folder along."""
    with contextlib.suppress(OSError):
        path.unlink()
        path.parent.rmdir()
    os._exit(0)


def serve(listener: socket.socket, path: Path) -> Request:
    """Answer requests until this process is a copy that has one to run; return that one."""
    jobs: list[Job] = []
    with selectors.DefaultSelector() as selector:
        selector.register(LIFELINE, selectors.EVENT_READ, "end")
        selector.register(listener, selectors.EVENT_READ, "request")
        while True:
            key, _ = selector.select()[0]  # one by one: the next may not be there any more
            if key.data == "end":
                for job in jobs:
                    os.kill(job.process, signal.SIGKILL)
                end(path)
            elif key.data == "request":
                client, _ = listener.accept()
                request = receive(client)
                if request is None:
                    client.close()
                    continue
                process = os.fork()
                if process == 0:
                    for each in [client, *(job.client for job in jobs)]:
                        each.close()
                    return request
                for stream in request.streams:
                    os.close(stream)
                jobs.append(Job(process, os.pidfd_open(process), client))
                selector.register(jobs[-1].descriptor, selectors.EVENT_READ, jobs[-1])
                selector.register(client, selectors.EVENT_READ, jobs[-1])
            elif key.fd == key.data.descriptor:
                job = key.data
                jobs.remove(job)
                selector.unregister(job.descriptor)
                os.close(job.descriptor)
                if job.client in selector.get_map():
                    selector.unregister(job.client)
                with job.client, contextlib.suppress(OSError):
                    job.client.sendall(STATUS.pack(os.waitpid(job.process, 0)[1]))
            else:  # the client is gone; its job will be seen to end
                selector.unregister(key.data.client)
                os.kill(key.data.process, signal.SIGKILL)


def leave() -> None:
    """End well, as Python does, but without taking apart what the server had imported.

    That would write to all of its memory, and so copy it, for every job.
    """
    threading._shutdown()  # waits for threads
    atexit._run_exitfuncs()
    for each in gc.get_objects():  # but for what was there before the job
        if issubclass(type(each), io.IOBase) and not each.closed and each.writable():
            each.flush()
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)  # of libraries in C
    os._exit(0)


def become(request: Request, parent: int) -> None:
    """Make this copy what a Python that was just started would be."""
    ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    for place, stream in enumerate(request.streams):
        os.dup2(stream, place)
        os.close(stream)
    os.chdir(request.folder)
    os.environb.clear()
    os.environb.update(each.split(b"=", 1) for each in request.environment)
    tempfile.tempdir = None
    sys.argv = [os.fsdecode(each) for each in request.arguments]
    sys.path.insert(0, str(Path(sys.argv[0]).resolve().parent))
    if os.environ.get(BRIEF):
        sys.excepthook = told
    signal.signal(signal.SIGINT, signal.default_int_handler)


def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print what ended a job; Ctrl-C, which may come before its log is open, is told already."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


if __name__ == "__main__":
    own = os.getpid()
    del sys.path[0]  # the folder of this file; a job has that of its script there
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the jobs, and Snakemake this
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        preload(sys.argv[3:], Path(sys.argv[2]))
        task = serve(listening, Path(sys.argv[2]))
    become(task, own)
    runpy.run_path(sys.argv[0], run_name="__main__")  # as `python SCRIPT` does
    leave()
