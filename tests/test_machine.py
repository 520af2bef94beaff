"""Cores and memory are those that the process is given, whoever limits them."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from phasegrok import machine

GIB = 1 << 30
V1_NONE = "9223372036854771712\n"


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 cores and 64 GiB, and no limit of the shell."""
    sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 64 * GIB // 4096}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    none = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda _: (none, none))


def tree(root: Path, proc: str, **files: str) -> Path:
    """A made-up system: what ``/proc/self/cgroup`` says, and files below ``/sys/fs/cgroup``."""
    for name, text in {
        "proc/self/cgroup": proc,
        **{f"sys/fs/cgroup/{k}": v for k, v in files.items()},
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


V1 = "4:memory:/job/step\n3:cpuset:/\n2:cpu,cpuacct:/job/step\n0::/\n"
V2 = "0::/slice/box\n"


@pytest.mark.parametrize(
    ("proc", "files", "expected"),
    [
        ("", {}, (16, 64)),
        (V2, {}, (16, 64)),
        (V2, {"slice/box/cpu.max": "max 100000\n", "slice/box/memory.max": "max\n"}, (16, 64)),
        (V2, {"slice/box/cpu.max": "250000 100000\n", "slice/box/memory.max": f"{GIB}\n"}, (3, 1)),
        (V2, {"slice/box/memory.max": f"{9 * GIB}", "slice/memory.max": f"{4 * GIB}"}, (16, 4)),
        (V2, {"slice/cpu.max": "400000 100000", "slice/box/cpu.max": "max 100000"}, (4, 64)),
        (V2, {"memory.high": f"{3 * GIB}", "cpu.max": "50000 100000"}, (1, 3)),  # a container's own
        ("0::/../other\n", {"memory.max": f"{2 * GIB}"}, (16, 2)),
        (V2, {"slice/box/cpu.max": "", "slice/box/memory.max": "nonsense"}, (16, 64)),
        (
            V1,
            {
                "memory/job/step/memory.limit_in_bytes": V1_NONE,
                "memory/job/memory.limit_in_bytes": f"{2 * GIB}\n",
                "cpu,cpuacct/job/step/cpu.cfs_quota_us": "-1\n",
                "cpu,cpuacct/job/step/cpu.cfs_period_us": "100000\n",
                "cpu,cpuacct/cpu.cfs_quota_us": "800000\n",
                "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            (8, 2),
        ),
        (
            V1,
            {
                "cpu/job/cpu.cfs_quota_us": "150000\n",
                "cpu/job/cpu.cfs_period_us": "50000\n",
                "memory/memory.limit_in_bytes": f"{5 * GIB}\n",
            },
            (3, 5),
        ),
        (V1 + V2, {"unified/slice/memory.max": f"{6 * GIB}"}, (16, 6)),
    ],
)
def test_cgroups_of_both_versions(
    tmp_path: Path, proc: str, files: dict[str, str], expected: tuple[int, int]
) -> None:
    """The smallest limit on the way up counts; ``max``, -1 and what is missing are none."""
    root = tree(tmp_path, proc, **files)
    assert (machine.cores({}, root), machine.memory_bytes({}, root) / GIB) == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"SLURM_CPUS_PER_TASK": "4", "SLURM_CPUS_ON_NODE": "2"}, (4, 64)),
        ({"SLURM_CPUS_ON_NODE": "8"}, (8, 64)),
        ({"SLURM_CPUS_PER_TASK": "64", "SLURM_MEM_PER_NODE": "0"}, (16, 64)),
        ({"SLURM_MEM_PER_NODE": "2048"}, (16, 2)),
        ({"SLURM_MEM_PER_CPU": "512", "SLURM_CPUS_PER_TASK": "4"}, (4, 2)),
        ({"SLURM_CPUS_PER_TASK": "2(x3)", "SLURM_MEM_PER_NODE": "-1"}, (16, 64)),
    ],
)
def test_slurm_gives_less(
    tmp_path: Path, environment: dict[str, str], expected: tuple[int, int]
) -> None:
    """Slurm's numbers count where they are smaller, and are left alone where they are none."""
    found = machine.cores(environment, tmp_path), machine.memory_bytes(environment, tmp_path) / GIB
    assert found == expected


def test_a_limit_of_address_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 9 GiB, 3 are mapped and 1 of them held: 7 may be taken in all."""
    (tmp_path / "proc/self").mkdir(parents=True)
    pages = GIB // 4096
    (tmp_path / "proc/self/statm").write_text(f"{3 * pages} {pages} 0 0 0 0 0\n")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (9 * GIB, 9 * GIB))
    assert machine.memory_bytes({}, tmp_path) == 7 * GIB


def test_systems_that_say_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No affinity on macOS, no sysconf on Windows: the count of all cores, and 8 GiB assumed."""
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.delattr(os, "sysconf")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    monkeypatch.delattr(os, "process_cpu_count", raising=False)
    assert machine.cores({}, tmp_path) == 6
    assert machine.memory_bytes({}, tmp_path) == 8 * GIB
    monkeypatch.setattr(os, "process_cpu_count", lambda: 3, raising=False)
    assert machine.cores({}, tmp_path) == 3


@pytest.mark.parametrize("wrong", [OSError, TypeError, AttributeError])
def test_memory_is_given_back_where_the_library_can(
    monkeypatch: pytest.MonkeyPatch, wrong: type[Exception]
) -> None:
    """Other systems have no such function, or no library without a name: nothing comes of it."""
    machine.give_back()

    def none(name: None) -> None:
        raise wrong

    monkeypatch.setattr(machine.ctypes, "CDLL", none)
    machine.give_back()
