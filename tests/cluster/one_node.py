"""A real Slurm of one node on this machine's loopback, from Debian's packages.

No systemd, no cgroups, no accounting, two GPUs that are copies of /dev/null, a private munge: all
in one folder, as the user who calls. `apt-get install slurmctld slurmd slurm-client munge` brings
what it needs, and nothing of what that starts is used.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo")
CONFIG = """\
ClusterName=onenode
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/munge.socket
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort={port}
SlurmdPort={next_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/finished_jobs.log
MinJobAge=3600
KillWait=5
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} Boards=1 SocketsPerBoard=1 \
CoresPerSocket={cpus} ThreadsPerCore=1 RealMemory={memory_mb} Gres=gpu:fake:2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
# The jobstep plugin takes every SLURM_* variable from the srun inside a job; without a
# /etc/slurm/slurm.conf that srun then finds no configuration.
SHIM = '#!/bin/sh\nSLURM_CONF="{folder}/slurm.conf" exec {srun} "$@"\n'


def missing_programs() -> list[str]:
    """Return which of Slurm's programs are not installed."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


class OneNode:
    """Slurm while the block lasts; `environment` is for the programs that are to find it."""

    def __init__(self, folder: Path, cpus: int = 2, memory_mb: int = 64000, port: int = 16817):
        # The node claims memory that the machine may not have: jobs ask for what real scans need.
        self.folder, self.cpus, self.memory_mb, self.port = folder, cpus, memory_mb, port
        self.environment = os.environ | {
            "SLURM_CONF": f"{folder}/slurm.conf",
            "PATH": f"{folder}/bin:{os.environ['PATH']}:/usr/sbin:/sbin",
        }

    def __enter__(self) -> "OneNode":
        for name in ("munge", "state", "spool", "bin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._write_files()
        self._start_munge()
        self._call("slurmctld", "-f", self.folder / "slurm.conf")
        self._call("slurmd", "-f", self.folder / "slurm.conf")
        for _ in range(120):
            state = self._call("sinfo", "--noheader", "--format=%T", check=False).stdout.strip()
            if state in ("idle", "mixed", "allocated"):
                return self
            time.sleep(0.5)
        self.__exit__()
        raise RuntimeError(f"Slurm did not start; see {self.folder}/slurmctld.log")

    def __exit__(self, *_: object) -> None:
        self._call("scancel", "--user", str(os.getuid()), check=False)
        for name in ("slurmd.pid", "slurmctld.pid", "munge/munged.pid"):
            path = self.folder / name
            if path.is_file() and path.read_text().strip():
                self._end(int(path.read_text()))

    def finished_jobs(self) -> list[dict[str, str]]:
        """Return what Slurm noted of each job that ended: JobState, StartTime, EndTime and more."""
        path = self.folder / "finished_jobs.log"
        lines = path.read_text().splitlines() if path.is_file() else []
        return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]

    def _write_files(self) -> None:
        host = socket.gethostname().split(".")[0]
        devices = [self.folder / f"gpu{i}" for i in range(2)]
        for i, device in enumerate(devices):
            try:
                os.mknod(device, 0o20666, os.makedev(1, 3))
            except FileExistsError:
                pass
            except PermissionError:  # not root: consoles are character devices as well
                devices[i] = Path(f"/dev/tty{i}")
        lines = [f"NodeName={host} Name=gpu Type=fake File={device}\n" for device in devices]
        (self.folder / "gres.conf").write_text("".join(lines))
        text = CONFIG.format(
            folder=self.folder,
            host=host,
            user=os.environ.get("USER", "root"),
            port=self.port,
            next_port=self.port + 1,
            cpus=self.cpus,
            memory_mb=self.memory_mb,
        )
        (self.folder / "slurm.conf").write_text(text)
        shim = self.folder / "bin/srun"
        shim.write_text(SHIM.format(folder=self.folder, srun=shutil.which("srun")))
        shim.chmod(0o755)

    def _start_munge(self) -> None:
        munge = self.folder / "munge"
        munge.chmod(0o700)
        key = munge / "munge.key"
        if not key.exists():
            key.write_bytes(os.urandom(1024))
            key.chmod(0o400)
        names = {"key-file": "key", "socket": "socket"}
        options = [f"--{option}={munge}/munge.{ending}" for option, ending in names.items()]
        names = {"pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options += [f"--{option}={munge}/munged.{ending}" for option, ending in names.items()]
        self._call("munged", "--force", *options)

    def _call(self, *command: object, check: bool = True) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(word) for word in command],
            check=check,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=None if check else subprocess.DEVNULL,
            text=True,
        )

    @staticmethod
    def _end(pid: int) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for _ in range(50):
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    return
                time.sleep(0.1)
