"""What Snakemake's process and the delivering process say to each other, over a pair of sockets.

| said | by | means |
|---|---|---|
| `Begin` | Snakemake | these are the settings |
| `Take` | Snakemake | a further outbox; with the open log, and so with its lock |
| `Hold` | Snakemake | files of a job as it left them: contents, digests, open files |
| `Listing` | Snakemake | what is in a directory that a job wrote |
| `Progress` | the delivering process | number of jobs dealt with so far |
| `Done` | the delivering process | all has been dealt with, and this came of it |

Snakemake ends what it says by closing its side: at the end of the run, or by dying. Records are not said: they are
read from the log.
"""

from __future__ import annotations

import array
import socket
import struct
from collections import deque
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from snakeprov.model.held import Hold, Listing
from snakeprov.recorder.progress import Reading
from snakeprov.recorder.summary import Tally
from snakeprov.settings import Settings

BUFFER_SIZE: Final = 256 * 1024
"""How many bytes may wait in the socket: what some hundred jobs hold, while the delivering process is busy."""

MESSAGE_SIZE_MAX: Final = 16 * 1024 * 1024
"""A longer message than this can only be a mistake: it ends the connection."""

SEND_TIMEOUT_S: Final = 5.0
"""How long a message that does not fit into the socket at once may wait for the other side."""

_encode = msgspec.msgpack.Encoder().encode
_LENGTH: Final = struct.Struct("<I")
_DESCRIPTORS_MAX: Final = 253  # Linux passes no more with one message
_NO_SIGNAL: Final = getattr(socket, "MSG_NOSIGNAL", 0)
_CLOSE_ON_EXEC: Final = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class Begin(msgspec.Struct, tag=True):
    """The settings of the run, its working directory, the id of Snakemake's process, and what is to be hidden.

    `left_behind` is the id of the run where a process before this one has died: what it left is to be delivered.
    """

    settings: Settings
    working_directory: str
    process_id: int
    secrets: tuple[str, ...] = ()
    left_behind: str | None = None


class Take(msgspec.Struct, tag=True):
    """A further outbox of the run: the path of its log. One descriptor comes with it."""

    path: str


class Progress(msgspec.Struct, tag=True):
    """How far the delivering process is.

    Attributes:
        jobs: Jobs of the run that have been dealt with.
        uploaded_bytes: Bytes that are uploaded.
        expected_bytes: Bytes that are to be uploaded.
        read_bytes: Bytes that the process has read from files; 0 where the system does not count them.
        reading: The large file that is being read, if one is.
    """

    jobs: int = 0
    uploaded_bytes: int = 0
    expected_bytes: int = 0
    read_bytes: int = 0
    reading: Reading | None = None


class Done(msgspec.Struct, tag=True):
    """What came of it; see `Summary`."""

    tally: Tally
    recovered: int
    problems: list[str]
    elsewhere: dict[str, int] = {}


FromCapture = Begin | Take | Hold | Listing
FromDelivery = Progress | Done

_Message = TypeVar("_Message")


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two sockets that are connected with each other; neither is inherited by other processes."""
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    for end in (one, two):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_SIZE)
    return one, two


def send(end: socket.socket, message: FromCapture | FromDelivery, descriptors: Sequence[int] = ()) -> None:
    """Send a message, with open files; the sender's own descriptors stay open.

    Raises:
        BlockingIOError: `end` does not block, and the other side is too far behind. Nothing was sent.
        OSError: The other side is gone; too many open files are on their way (ETOOMANYREFS); or the other side has not
            listened for `SEND_TIMEOUT_S` in the middle of a message, and the connection is of no use any more.
    """
    payload = _encode(message)
    data = _LENGTH.pack(len(payload)) + payload
    ancillary = []
    if descriptors:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    sent = end.sendmsg([data], ancillary, _NO_SIGNAL)
    if sent < len(data):  # hardly ever: a message is much smaller than the buffer
        timeout_s = end.gettimeout()
        end.settimeout(SEND_TIMEOUT_S)
        try:
            end.sendall(data[sent:])
        except TimeoutError:
            end.shutdown(socket.SHUT_RDWR)  # half a message: whatever followed would be taken for its rest
            raise
        finally:
            end.settimeout(timeout_s)


class Receiver:
    """Puts together what arrives at one end. Not thread-safe."""

    def __init__(self, end: socket.socket, said: type[_Message]) -> None:
        """Receive messages of the types `said` at `end`."""
        self._end = end
        self._decoder: msgspec.msgpack.Decoder[object] = msgspec.msgpack.Decoder(said)
        self._data = bytearray()
        self._descriptors: deque[int] = deque()

    def receive(self) -> list[object] | None:
        """Return the messages that have arrived, waiting as long as the socket does; None: the other side is gone.

        Raises:
            TimeoutError: Nothing came in the time that was set for the socket.
            OSError: The connection is of no use any more.
        """
        data, descriptors, flags, _ = socket.recv_fds(self._end, BUFFER_SIZE, _DESCRIPTORS_MAX, _CLOSE_ON_EXEC)
        self._descriptors += descriptors
        if flags & socket.MSG_CTRUNC:
            raise OSError("too many open files")
        if not data:
            return None
        self._data += data
        messages = []
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            if length > MESSAGE_SIZE_MAX:
                raise OSError(f"a message of {length} bytes")
            if len(self._data) < _LENGTH.size + length:
                break
            messages.append(self._decoder.decode(bytes(self._data[_LENGTH.size : _LENGTH.size + length])))
            del self._data[: _LENGTH.size + length]
        return messages

    def descriptor(self) -> int:
        """Return the next of the open files that came with the messages; the caller closes it."""
        return self._descriptors.popleft()
