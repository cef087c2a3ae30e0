"""The delivering process as Snakemake's process sees it: started, told, waited for, or given up."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import IO, Final, Self

from snakeprov.model.held import Hold, Listing
from snakeprov.recorder.channel import (
    SEND_TIMEOUT_S,
    Begin,
    Done,
    FromDelivery,
    Progress,
    Receiver,
    Take,
    pair,
    send,
)

EXIT_S: Final = 10.0
"""How long the process may take to exit once it has said that it is done."""

_SAID_CHARS_MAX: Final = 300


class DeliveringProcess:
    """A process of its own that delivers; in a session of its own, so that Ctrl-C in the terminal does not reach it."""

    def __init__(self, process: subprocess.Popen[bytes], end: socket.socket, stderr: IO[bytes] | None) -> None:
        self._process = process
        self._end = end
        self._stderr = stderr
        self._receiver = Receiver(end, FromDelivery)  # type: ignore[arg-type]  # mypy has no type of types for unions

    @classmethod
    def start(cls, program: str, begin: Begin) -> Self:
        """Start the Python module `program`; its only argument is the number of its socket's descriptor.

        Raises:
            OSError: It cannot be started.
        """
        if not sys.executable:
            raise OSError("the path of the Python interpreter is not known")
        ours, theirs = pair()
        ours.settimeout(SEND_TIMEOUT_S)
        stderr = _file()
        try:
            number = theirs.fileno()
            process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                # -P: a module of the user's in the working directory must not stand in for one that is imported.
                [sys.executable, "-P", "-m", program, str(number)],
                stdin=subprocess.DEVNULL,
                # A reader of Snakemake's output must not have to wait for another process to close it.
                stdout=subprocess.DEVNULL,
                stderr=stderr if stderr is not None else subprocess.DEVNULL,
                pass_fds=[number],
                start_new_session=True,
            )
            with contextlib.suppress(OSError):  # it may have failed already, as its end will tell
                send(ours, begin)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        return cls(process, ours, stderr)

    def tell(self, message: Take, descriptor: int) -> bool:
        """Tell it something, with an open file, without waiting; return false if it is too far behind to be told now.

        A process that has ended counts as told: its end is noticed by `wait`.
        """
        try:
            send(self._end, message, [descriptor])
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def hold(self, message: Hold | Listing, descriptors: Sequence[int]) -> bool:
        """Pass on files of a job, without waiting; return false if it does not take them."""
        try:
            send(self._end, message, descriptors)
        except OSError:
            return False
        return True

    @property
    def id(self) -> int:
        """Its number."""
        return self._process.pid

    def wait(self, on_progress: Callable[[Progress], None], *, patience_s: float) -> Done | None:
        """Tell it that this is all, and wait until it is done; return what it says, or None: it has ended otherwise.

        Args:
            on_progress: Told how far it is, now and then.
            patience_s: How long it may make no progress.

        Raises:
            TimeoutError: It made no progress for so long. It goes on by itself.
        """
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_WR)
        progress, until_s = Progress(), time.monotonic() + patience_s
        while True:
            # Zero would mean: do not block, and fail otherwise.
            self._end.settimeout(max(0.001, until_s - time.monotonic()))
            try:
                messages = self._receiver.receive()
            except TimeoutError:
                raise
            except OSError:
                return None
            if messages is None:
                return None
            for message in messages:
                if isinstance(message, Done):
                    return message
                if isinstance(message, Progress):
                    on_progress(message)
                    if message != progress:
                        progress, until_s = message, time.monotonic() + patience_s
            if time.monotonic() > until_s:
                raise TimeoutError

    def leave(self) -> None:
        """Let it go on by itself, without waiting for its end."""
        self._end.close()
        if self._stderr is not None:
            self._stderr.close()

    def stop(self) -> None:
        """End it now; what it has not delivered waits in the outbox."""
        self._process.kill()

    def close(self) -> str:
        """Let go of it, once it has ended or is about to; return how it ended, in words."""
        self._end.close()
        try:
            status = self._process.wait(EXIT_S)
        except subprocess.TimeoutExpired:
            return "it does not end"
        said = ""
        if self._stderr is not None:
            with self._stderr as file:
                file.seek(0)
                said = file.read().decode("utf-8", "replace").strip().rpartition("\n")[2][:_SAID_CHARS_MAX]
        if status < 0:
            return f"killed by {_signal_name(-status)}"
        return f"exit status {status}" + (f": {said}" if said else "")


def _file() -> IO[bytes] | None:
    """Return a file for what Python says when it fails; None where there is no room for one."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
