"""A SLURM cluster of this one machine, with one node, from its start to its end.

Must not know: Snakemake.

Debian's munge, slurmctld and slurmd are enough: they keep everything in one folder and listen on free ports, so that a
SLURM that is already there is left alone. Without accounting and cgroups, `squeue` tells what becomes of jobs.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 10
COMMAND_TIMEOUT_S = 10

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo", "setpriv")

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=1
MinJobAge=600
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=500 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class SlurmError(Exception):
    """There is no SLURM here, or it does not start."""


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Start a cluster that keeps its files in `folder`; yield the environment variables that point to it.

    Raises:
        SlurmError: This machine cannot run SLURM; the message says why.
    """
    missing = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    if missing:
        raise SlurmError(f"not installed: {', '.join(missing)} (Debian: munge slurmctld slurmd slurm-client)")
    if os.geteuid() != 0:
        raise SlurmError("munged and slurmd of one's own need root")
    variables = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"{folder / 'bin'}{os.pathsep}{_path()}"}
    _configure(folder)
    with ExitStack() as stack:
        key, log, sock = folder / "munge.key", folder / "munged.log", folder / "munge.socket"
        seed = folder / "munge.seed"
        files = [f"--key-file={key}", f"--log-file={log}", f"--seed-file={seed}", f"--pid-file={folder / 'munged.pid'}"]
        for command in (
            ["munged", "--foreground", "--force", *files, f"--socket={sock}"],
            ["slurmctld", "-D"],
            ["slurmd", "-D", "-N", _host()],
        ):
            stack.enter_context(_running(command, folder, variables))
        _wait_for_node(folder, variables)
        yield variables


def _configure(folder: Path) -> None:
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    controller_port, node_port = _free_ports(2)
    text = CONFIGURATION.format(
        host=_host(),
        folder=folder,
        controller_port=controller_port,
        node_port=node_port,
        cpus=os.cpu_count() or 1,
    )
    (folder / "slurm.conf").write_text(text)
    cgroup = f"CgroupPlugin=autodetect\nIgnoreSystemd=yes\nCgroupMountpoint={folder}/cgroup\n"
    (folder / "cgroup.conf").write_text(cgroup)
    # The plugin submits jobs without the variables of SLURM, but with the search path.
    srun = folder / "bin" / "srun"
    srun.parent.mkdir()
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun", path=_path())} "$@"\n')
    srun.chmod(0o755)


@contextmanager
def _running(command: list[str], folder: Path, variables: dict[str, str]) -> Iterator[None]:
    """Run a daemon in the foreground while the `with` lasts; its output goes into a file beside its log."""
    with (folder / f"{command[0]}.out").open("wb") as out:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command],  # so that it ends with the tests, however these end
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        if command[0] == "munged":
            _wait(folder / "munge.socket", process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(path: Path, process: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + START_TIMEOUT_S
    while not path.exists():
        if process.poll() is not None or time.monotonic() > until_s:
            raise SlurmError(f"it does not start: {path.name} does not appear")
        time.sleep(0.05)


def _wait_for_node(folder: Path, variables: dict[str, str]) -> None:
    until_s = time.monotonic() + START_TIMEOUT_S
    state = ""
    while time.monotonic() < until_s:
        try:
            state = subprocess.run(
                ["sinfo", "--noheader", "--format=%T"],
                env={**os.environ, **variables},
                capture_output=True,
                text=True,
                timeout=COMMAND_TIMEOUT_S,
                check=False,
            ).stdout.strip()
        except subprocess.TimeoutExpired:
            state = "no answer"
        if state == "idle":
            return
        time.sleep(0.2)
    said = (folder / "slurmd.out").read_text(errors="replace").strip().splitlines()[-1:]
    raise SlurmError(f"its node does not come up: it is {state or 'unknown'}; slurmd said {said}")


def _host() -> str:
    return socket.gethostname().partition(".")[0]


def _path() -> str:
    """Return the search path with the folders where daemons are, which a user's may lack."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
