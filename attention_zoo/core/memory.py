"""How much memory there is, for limits in proportion to it."""

from __future__ import annotations

import contextlib
import os

#: Where a control group says what it may use, by its version.
_GROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
#: What is assumed where the system does not say.
_ASSUMED = 4 * 2**30


def total() -> int:
    """Return the bytes of memory of the machine, the control group or this process, the least."""
    known = []
    with contextlib.suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in _GROUPS:
        with contextlib.suppress(OSError, ValueError), open(path, encoding="ascii") as file:
            known.append(int(file.read(32)))
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        known.append(resource.getrlimit(resource.RLIMIT_AS)[0])
    return min((size for size in known if size > 0), default=_ASSUMED)


def share(parts: int) -> int:
    """Return one of so many equal parts of the memory, in bytes."""
    return total() // parts
