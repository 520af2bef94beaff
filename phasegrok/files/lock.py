"""One holder of a folder at a time: on one machine by the kernel, on several by a claim on disk.

The kernel's lock (flock) ends with its process, however that ends. But some file systems have none
(ENOSYS on some mounts of Lustre), and some keep it to one node (GPFS, Lustre with localflock). So
the holder also has a **claim**: a file that is made by one atomic link, and touched every few
seconds. Who finds a claim of

- its own machine, where flock works: takes over, since the kernel let go of the holder;
- its own machine, where flock does not work: asks whether that very process still lives;
- another machine: waits for no one. A claim that was touched within :data:`EXPIRY` seconds holds.
  An older one is taken over. Ages are differences of two times that the same file server gave, so
  the clocks of the machines do not matter.

What storage has to offer is in docs/reliability.md.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Final

from phasegrok.errors import Locked

fcntl: ModuleType | None
try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None

__all__ = ["CLAIM", "Hold", "hold"]

HEARTBEAT: Final = 10.0  # seconds between touches of a claim
EXPIRY: Final = 60.0  # seconds without a touch after which the claim of another machine is stale
CLAIM: Final = ".claim"
LOCK: Final = ".lock"
# flock answers so where somebody holds the lock; every other answer says that it does not work.
HELD: Final = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
NOT_THERE: Final = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL)


class Hold:
    """A folder that this process holds."""

    def __init__(self, path: Path, token: str) -> None:
        self.path, self._token = path, token

    def check(self) -> None:
        """Refuse to go on with a folder that another machine took over meanwhile: this process
        slept longer than its claim holds.

        Raises:
            Locked: it says who has it now.
        """
        found = _read(self.path / CLAIM)
        if found.get("token") != self._token:
            raise Locked(f"{self.path}: was taken over by {_who(found)}; what is published is kept")


@contextmanager
def hold(path: Path, holder: str) -> Iterator[Hold]:
    """Hold a folder.

    Args:
        path: the folder.
        holder: what others are told of this process.

    Raises:
        Locked: another process holds it; the message says which.
    """
    with contextlib.ExitStack() as stack:
        kernel = stack.enter_context(_flock(path))
        token = secrets.token_hex(8)
        claim = {"holder": holder, "token": token, **_this_process()}
        _take_claim(path, claim, kernel)
        stack.callback(_release, path / CLAIM, token)
        stop = threading.Event()
        beat = threading.Thread(target=_beat, args=(path / CLAIM, token, stop), daemon=True)
        beat.start()
        stack.callback(beat.join, 1.0)
        stack.callback(stop.set)
        yield Hold(path, token)


@contextmanager
def _flock(path: Path) -> Iterator[bool]:
    """The kernel's lock; yields whether there is one here."""
    while True:
        with open(path / LOCK, "a+") as file:
            works = _flocked(file, path)
            # A lock that was opened before its folder was moved away is another folder's.
            try:
                same = os.path.samestat(os.fstat(file.fileno()), os.stat(path / LOCK))  # noqa: PTH116
            except FileNotFoundError:
                same = False
            if same:
                yield works
                return


def _flocked(file: IO[str], path: Path) -> bool:
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            found = _read(path / CLAIM)
            if not found:  # a version without claims wrote who it is into the lock
                file.seek(0)
                found = {"holder": file.read().strip()}
            raise Locked(f"{path}: in use by {_who(found)}") from None
        if error.errno in NOT_THERE:
            return False
        raise OSError(error.errno, error.strerror, str(path / LOCK)) from None
    return True


def _take_claim(path: Path, claim: dict[str, Any], kernel: bool) -> None:
    """Make the claim; a stale one is moved out of the way by the one who finds it first."""
    # Its name is not that of a temporary file: a holder that cleans up would take it away.
    mine = path / f"{CLAIM}-{claim['token']}"
    try:
        mine.write_text(json.dumps(claim))
        for _ in range(3):
            if _linked(mine, path / CLAIM):
                return
            found = _read(path / CLAIM)
            if _is_held(path / CLAIM, found, mine, kernel):
                raise Locked(f"{path}: in use by {_who(found)}")
            _remove_stale(path / CLAIM, found, claim["token"])
        raise Locked(f"{path}: in use by {_who(_read(path / CLAIM))}")
    finally:
        with contextlib.suppress(OSError):
            mine.unlink()


def _linked(source: Path, target: Path) -> bool:
    """Whether ``target`` is now what ``source`` is: made whole and by one process alone."""
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EMLINK, *NOT_THERE):
            raise
        # A file system without links: creation is still by one alone.
        try:
            number = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            return False
        with open(number, "wb") as file:
            file.write(source.read_bytes())
    return True


def _is_held(claim: Path, found: dict[str, Any], mine: Path, kernel: bool) -> bool:
    """Whether the process of a claim still has the folder."""
    here = _this_process()
    if found.get("boot") == here["boot"]:
        if kernel:
            return False
        if found.get("space") == here["space"]:
            return found.get("start") == _start(found.get("pid"))
    try:
        age = mine.stat().st_mtime - claim.stat().st_mtime
    except FileNotFoundError:
        return False
    return age < EXPIRY


def _remove_stale(claim: Path, found: dict[str, Any], token: str) -> None:
    """Remove a claim, if it is still the one that was found."""
    aside = claim.with_name(f"{CLAIM}-{token}-stale.tmp")
    with contextlib.suppress(FileNotFoundError):
        claim.rename(aside)
        if _read(aside) != found:  # somebody else was faster, and has made a claim of its own
            _linked(aside, claim)
        aside.unlink()


def _release(claim: Path, token: str) -> None:
    with contextlib.suppress(OSError):
        if _read(claim).get("token") == token:
            claim.unlink()


def _beat(claim: Path, token: str, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT):
        with contextlib.suppress(OSError):
            if _read(claim).get("token") != token:
                return
            os.utime(claim)


def _read(path: Path) -> dict[str, Any]:
    """What a claim says; nothing where there is none or it is half written."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _who(claim: dict[str, Any]) -> str:
    return str(claim.get("holder") or "another process")


def _this_process() -> dict[str, Any]:
    """What tells this process from every other one, on every machine."""
    pid = os.getpid()
    return {"boot": _boot(), "space": _space(), "pid": pid, "start": _start(pid)}


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


def _start(pid: object) -> str | None:
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
