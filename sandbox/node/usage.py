"""What processes use, read from /proc: the stand-in for a container's control group."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

# Fields of /proc/PID/stat (proc(5)), counted from the one after the command's name.
_SESSION, _CPU, _RESIDENT = 3, slice(11, 15), 21


@dataclass(frozen=True)
class Usage:
    """`memory` in bytes: the resident sets, so that pages which processes share count for
    each; `cpu` in seconds: of these processes and of their children that have ended.
    """

    memory: int = 0
    cpu: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.memory + other.memory, self.cpu + other.cpu)


def by_session(proc: Path = PROC) -> dict[int, Usage]:
    """The usage of every session, by the pid that leads it. A container is one session."""
    found: dict[int, Usage] = {}
    for stat in _stats(proc):
        # The name is "(command)" and may hold spaces and brackets.
        fields = stat.rpartition(b")")[2].split()
        session = int(fields[_SESSION])
        ticks = sum(int(field) for field in fields[_CPU])
        usage = Usage(int(fields[_RESIDENT]) * _PAGE_BYTES, ticks / _TICKS_PER_SECOND)
        found[session] = found.get(session, Usage()) + usage
    return found


def _stats(proc: Path) -> Iterator[bytes]:
    for name in os.listdir(proc):  # noqa: PTH208  two objects less per process, twice a second
        if name.isdigit():
            try:
                with open(f"{proc}/{name}/stat", "rb", buffering=0) as file:  # noqa: PTH123
                    yield file.read()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
