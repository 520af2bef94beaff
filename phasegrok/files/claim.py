"""Claims: small files that say which process has something, whatever the file system offers.

A claim is made by one atomic link, and names a process in a way that no other process of any
machine shares. It is touched every :data:`HEARTBEAT` seconds; where nobody can be asked whether its
process lives, one that was not touched for :data:`EXPIRY` seconds is stale. Ages are differences of
two times that the same file server gave, so the clocks of the machines do not matter.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
from pathlib import Path
from typing import Any, Final

__all__ = [
    "CLAIM",
    "EXPIRY",
    "HEARTBEAT",
    "NOT_THERE",
    "NO_LINKS",
    "is_living",
    "linked",
    "modified",
    "process",
    "read_claim",
    "remove_stale",
    "started",
    "who",
]

HEARTBEAT: Final = 10.0  # seconds between touches of a claim
EXPIRY: Final = 60.0  # seconds without a touch after which the claim of another machine is stale
CLAIM: Final = ".claim"
NOT_THERE: Final = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL)
NO_LINKS: Final = (errno.EPERM, errno.EMLINK, *NOT_THERE)


def linked(source: Path, target: Path) -> bool:
    """Whether ``target`` is now what ``source`` is: made whole and by one process alone."""
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        # A file system without links: creation is still by one alone.
        try:
            number = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            return False
        with open(number, "wb") as file:
            file.write(source.read_bytes())
    return True


def modified(path: Path) -> float:
    """When a file was last touched, by the clock of its server.

    It is opened for that: NFS asks the server anew where a file is opened, and answers ``stat``
    from its memory for up to a minute.

    Raises:
        FileNotFoundError: there is none.
    """
    with open(path, "rb") as file:
        return os.fstat(file.fileno()).st_mtime


def is_living(found: dict[str, Any]) -> bool | None:
    """Whether the process that a claim names lives; None where it cannot be asked."""
    here = process()
    if found.get("boot") == here["boot"] and found.get("space") == here["space"]:
        return found.get("start") == started(found.get("pid"))
    return None


def remove_stale(claim: Path, found: dict[str, Any], token: str) -> None:
    """Remove a claim, if it is still the one that was found."""
    aside = claim.with_name(f"{CLAIM}-{token}-stale.tmp")
    with contextlib.suppress(FileNotFoundError):
        claim.rename(aside)
        if read_claim(aside) != found:  # somebody else was faster, and has made a claim of its own
            linked(aside, claim)
        aside.unlink()


def read_claim(path: Path) -> dict[str, Any]:
    """What a claim says; nothing where there is none or it is half written."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def who(claim: dict[str, Any]) -> str:
    return str(claim.get("holder") or "another process")


def process() -> dict[str, Any]:
    """What tells this process from every other one, on every machine."""
    pid = os.getpid()
    return {"boot": _boot(), "space": _space(), "pid": pid, "start": started(pid)}


def _boot() -> str:
    """This start of this machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()


def _space() -> str:
    """Processes have the same numbers in different containers."""
    try:
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115
    except OSError:
        return ""


def started(pid: object) -> str | None:
    """When a process of this machine began; None if there is none. A number is used again."""
    if not isinstance(pid, int):
        return None
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        pass
    if Path("/proc/self/stat").exists():
        return None
    try:  # a system without /proc
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return "there"
    return "there"
