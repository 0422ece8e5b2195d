"""Have a script run by a server (`server.py`), as if this process ran it.

    python -I -S client.py SOCKET SCRIPT [ARGUMENT ...]

Imports little, and what comes with Python alone. Ends as the script ends: with its exit code, or by
its signal. Without a server it runs the script itself.
"""

import os
import signal
import socket
import struct
import sys

LENGTH = struct.Struct("!I")
STATUS = struct.Struct("!i")


def main(path: str, arguments: list[str]) -> int:
    """Send all that a process has of its own, and wait for the exit status."""
    folder = os.getcwd()  # noqa: PTH109 (pathlib takes longer to import than all of this)
    environment = [f"{name}={value}" for name, value in os.environ.items()]
    words = [folder, str(len(arguments)), *arguments, *environment]
    body = b"\0".join(map(os.fsencode, words))
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            place = os.open(os.path.dirname(path), os.O_RDONLY)  # noqa: PTH120
            connection.connect(f"/proc/self/fd/{place}/{os.path.basename(path)}")  # noqa: PTH119
            socket.send_fds(connection, [LENGTH.pack(len(body))], [0, 1, 2])
            connection.sendall(body)
        except OSError:
            return alone(arguments)
        try:
            told = connection.recv(STATUS.size, socket.MSG_WAITALL)
        except KeyboardInterrupt:  # the job ends with this connection
            return 130
    if len(told) < STATUS.size:
        print("mri2pet: the process that runs the jobs has ended, and this one with it", flush=True)
        return 1
    return os.waitstatus_to_exitcode(STATUS.unpack(told)[0])


def alone(arguments: list[str]) -> int:
    """Run the script in a Python of its own, as Snakemake would."""
    import subprocess

    return subprocess.run([sys.executable, *arguments]).returncode


if __name__ == "__main__":
    code = main(sys.argv[1], sys.argv[2:])
    if code < 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)
