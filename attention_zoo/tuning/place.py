"""The place of a process in a search on many machines: chief or worker, and where the chief is."""

from __future__ import annotations

import dataclasses
import errno
import os
import socket
from collections.abc import Mapping

from attention_zoo.core import checks
from attention_zoo.core.registry import one_of

ROLES = ("chief", "worker")

#: KerasTuner's own variables, by which it tells a chief from its workers.
NAME, HOST, PORT = VARIABLES = (
    "KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Place:
    """What a process is to a search.

    Attributes:
        role: `"chief"`, which decides what is tried, or `"worker"`, which tries it.
        host, port: of the chief.
        name: the process's own, another one for each.
    """

    role: str
    host: str
    port: int
    name: str

    @property
    def address(self) -> str:
        """`host:port`, with brackets around an IPv6 address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def find_place(
    role: str | None = None, address: str | None = None, variables: Mapping[str, str] = os.environ
) -> Place | None:
    """The place that the arguments name, or else KerasTuner's three variables; None for neither.

    Raises:
        ValueError: for an unknown role, an address that is none or is missing, or some of the
            variables without the others.
    """
    if role is not None and role not in ROLES:
        raise one_of("role", role, ROLES)
    if role is None and address is not None:
        raise ValueError("`address` needs `role`, which is 'chief' or 'worker'.")
    present = [name for name in VARIABLES if variables.get(name)]
    if address is None and not present:
        if role is None:
            return None
        raise ValueError(
            f"A {role} needs `address`, the chief's HOST:PORT, or KerasTuner's variables "
            f"{', '.join(VARIABLES)}."
        )
    if address is None and len(present) < len(VARIABLES):
        missing = [name for name in VARIABLES if name not in present]
        raise ValueError(
            f"{' and '.join(present)} is set but not {' and '.join(missing)}. Set all three for a "
            "chief and its workers, unset them for a search in one process, or give `role` and "
            "`address`."
        )
    own = variables.get(NAME) or ""
    named = ("chief" if "chief" in own else "worker") if own else role
    if role is not None and role != named:
        raise ValueError(f"`role` is {role!r}, but {NAME}={own!r} is the name of a {named}.")
    if address is None:
        address = f"{variables[HOST]}:{variables[PORT]}"
    name = own or f"{socket.gethostname()}-{os.getpid()}"
    return Place(str(named), *_parsed(address), name)


def _parsed(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or len(port) > 5:
        raise ValueError(
            f"`address` must be HOST:PORT, such as 127.0.0.1:5000. Received: {address[:200]!r}"
        )
    if not 0 < int(port) < 2**16:
        raise ValueError(f"`address`: the port must be 1 to 65535. Received: {port}")
    return host, int(port)


def check_reachable(place: Place) -> None:
    """ValueError if the chief's host has no such name or address anywhere."""
    try:
        socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ValueError(
            f"`address`: there is no host {place.host!r} ({error}). Give the name or the number "
            "by which the chief's machine is known here."
        ) from None


def check_free(place: Place) -> None:
    """ValueError if this process cannot listen at the address, with the reason."""
    check_reachable(place)
    family, kind, protocol, _, where = socket.getaddrinfo(
        place.host, place.port, type=socket.SOCK_STREAM
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(where)
        except OSError as error:
            raise ValueError(
                f"`address`: a chief cannot listen at {place.address}: {_reason(error)}"
            ) from None


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use, maybe by another chief. Choose another port."
    if error.errno == errno.EADDRNOTAVAIL:
        return "that is no address of this machine. 0.0.0.0 listens at all of them."
    if error.errno == errno.EACCES:
        return "ports below 1024 are the system's. Choose another port."
    return str(error)


#: A worker is a process with a backend and the data of its own: more of them than this for each
#: core only wait for one another.
_CROWD = 4


def check_workers(workers: int) -> None:
    """Refuse a number of workers that this machine has no use for."""
    checks.positive_int("workers", workers)
    count = cores()
    if workers > _CROWD * count:
        raise ValueError(
            f"`workers` must be at most {_CROWD * count}, {_CROWD} for each of this machine's "
            f"{count} cores: more would only wait for one another. Received: workers={workers}. "
            "For more machines see `role` and `address`."
        )


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
