"""What this process is given of the machine: cores and memory, not what the host has.

Containers (cgroups), Slurm and the shell's limits each give less than there is. The smallest of
all counts. Files of the system are read below a root, which tests replace.
"""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

__all__ = [
    "REFERENCE_CORE",
    "Speed",
    "cache_folder",
    "core_speed",
    "cores",
    "give_back",
    "instruction_set",
    "memory_bytes",
    "processor",
    "slowdown",
]

ROOT: Final = Path("/")
MEBIBYTE: Final = 1 << 20
# What /proc/cpuinfo says of a core's kind: on x86, and on Arm.
KIND: Final = (
    *("vendor_id", "cpu family", "model", "model name", "stepping", "flags"),
    *("CPU implementer", "CPU variant", "CPU part", "CPU revision", "Features"),
)
# A version 1 cgroup without a limit says the largest multiple of a page below 2^63.
UNLIMITED: Final = 1 << 60


class Speed(NamedTuple):
    """Of one core."""

    products: float  # FLOP/s of a product of matrices
    arrays: float  # bytes/s of adding long arrays


# The core that planning's numbers were measured on: an Intel Xeon, family 6, model 207.
REFERENCE_CORE: Final = Speed(108e9, 16e9)


def cores(environment: Mapping[str, str] = os.environ, root: Path = ROOT) -> int:
    """How many cores this process may keep busy, at least 1."""
    found = [_visible_cores(), *_quotas(root), *_numbers(environment, "SLURM_CPUS_PER_TASK")]
    if "SLURM_CPUS_PER_TASK" not in environment:
        found += _numbers(environment, "SLURM_CPUS_ON_NODE")
    return max(1, min(found))


def memory_bytes(environment: Mapping[str, str] = os.environ, root: Path = ROOT) -> int:
    """How much memory this process may take, in all: what it holds already counts."""
    found = [*_physical(), *_memory_limits(root), *_address_space(root)]
    found += [n * MEBIBYTE for n in _numbers(environment, "SLURM_MEM_PER_NODE")]
    found += [
        n * cores(environment, root) * MEBIBYTE for n in _numbers(environment, "SLURM_MEM_PER_CPU")
    ]
    return min(found, default=8 << 30)


def give_back() -> None:
    """Hand memory that was freed back to the system, where its library keeps it (glibc does)."""
    # Where there is no such function, or no library that is found without a name.
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


@lru_cache(maxsize=1)
def core_speed() -> Speed:
    """The speed of a core, found within 0.2 s. Time that this process was not given does not count,
    so what others do counts little."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    square = np.ones((512, 512), np.float32)
    long = np.ones(1 << 21, np.float32)
    product, total = np.empty_like(square), np.empty_like(long)
    best = [math.inf, math.inf]
    with threadpool_limits(1):
        for _ in range(8):
            begun = time.thread_time()
            np.matmul(square, square, out=product)
            middle = time.thread_time()
            np.add(long, long, out=total)
            best = [min(best[0], middle - begun), min(best[1], time.thread_time() - middle)]
    return Speed(2 * 512**3 / max(best[0], 1e-6), 3 * long.nbytes / max(best[1], 1e-6))


def slowdown() -> float:
    """How much longer work takes on all of this process's cores beside what else runs here, by the
    mean load of the last minute."""
    try:
        load = os.getloadavg()[0]
    except (OSError, AttributeError):  # Windows has none
        return 1.0
    return max(1.0, (load + cores()) / (os.cpu_count() or 1))


def instruction_set(root: Path = ROOT) -> str:
    """A digest of what kinds of cores there are, with all instructions that they know.

    Code that was compiled for one kind may end another's process, or round otherwise there.
    """
    lines = _text(root / "proc/cpuinfo").splitlines()
    kinds = {line for line in lines if line.partition(":")[0].strip() in KIND}
    if not kinds:
        kinds = {platform.machine(), platform.processor(), platform.platform(), _brand()}
    return hashlib.sha256("\n".join(sorted(kinds)).encode()).hexdigest()[:16]


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where this user's programs keep what they can make again, on this kind of system; None where
    there is no home."""
    if (given := environment.get("XDG_CACHE_HOME", "")) and Path(given).is_absolute():
        return Path(given) / "phasegrok"
    if sys.platform == "win32":
        local = environment.get("LOCALAPPDATA", "")
        return Path(local) / "phasegrok" / "cache" if local else None
    home = environment.get("HOME", "")
    if not Path(home).is_absolute():  # relative ones would lie wherever somebody stands
        return None
    inside = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path(home) / inside / "phasegrok"


def _brand() -> str:
    """The name of a Mac's processor, of which Python says the family only."""
    asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(asked, capture_output=True, text=True, timeout=5).stdout.strip()
    return ""


def _visible_cores() -> int:
    """Those that the scheduler may put this process on, where the system says."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    count = getattr(os, "process_cpu_count", os.cpu_count)()  # the first from Python 3.13 on
    return count or 1


def _physical() -> Iterator[int]:
    try:
        yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf, other systems no key
        return


def _address_space(root: Path) -> Iterator[int]:
    """``ulimit -v``, less what is mapped but not held: JAX maps gigabytes that it never uses."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    except (ImportError, OSError, ValueError, AttributeError):
        return
    if limit == resource.RLIM_INFINITY:
        return
    mapped = held = 0
    fields = _text(root / "proc/self/statm").split()
    if len(fields) > 1 and all(field.isdigit() for field in fields[:2]):
        mapped, held = (int(field) * os.sysconf("SC_PAGE_SIZE") for field in fields[:2])
    yield max(0, limit - mapped + held)


def _numbers(environment: Mapping[str, str], name: str) -> list[int]:
    """The whole number above 0 in a variable, if it holds one. Slurm's 0 means no limit."""
    text = environment.get(name, "").strip()
    return [int(text)] if text.isdecimal() and 0 < int(text) < UNLIMITED else []


def _quotas(root: Path) -> Iterator[int]:
    """Cores by the quotas of this process's cgroups and of those above them. Half a core is one."""
    for folder in _cgroups(root, "cpu"):
        words = _text(folder / "cpu.max").split()  # version 2: QUOTA PERIOD
        if not words:
            words = [_text(folder / f"cpu.cfs_{each}_us") for each in ("quota", "period")]
        if len(words) == 2 and all(word.strip().isdecimal() for word in words):  # no -1, no max
            quota, period = map(int, words)
            if quota and period:
                yield math.ceil(quota / period)


def _memory_limits(root: Path) -> Iterator[int]:
    """Limits of this process's cgroups and of those above them, in bytes."""
    for folder in _cgroups(root, "memory"):
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            text = _text(folder / name).strip()
            if text.isdecimal() and 0 < int(text) < UNLIMITED:
                yield int(text)


def _cgroups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of the cgroups that hold this process, for a controller, up to the topmost.

    Inside a container the paths in ``/proc`` may be the host's, of which the mount shows none. The
    folders above them are there all the same.
    """
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        mounts = (controllers, controller) if controllers else ("", "unified")
        for mount in dict.fromkeys(mounts):
            base = root / "sys/fs/cgroup" / mount
            place = PurePosixPath(path.lstrip("/"))
            for part in (place, *place.parents):
                if ".." not in part.parts and (base / part).is_dir():
                    yield base / part


def _text(path: Path) -> str:
    """What is in a file of the system; nothing where it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def processor() -> str:
    """What kind of processor this is. On another kind XLA compiles to other instructions."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            names = (line for line in file if line.startswith("model name"))
            return next(names, "").partition(":")[2].strip() or platform.machine()
    except OSError:
        return platform.processor() or platform.machine()
