"""Dask: a cluster of this machine's own processes, or one that is there already.

Whoever reaches a scheduler can have code run as its workers. So a cluster of our own listens on
this machine's loopback alone, one elsewhere is to be encrypted (TLS), and where it is neither a
warning says so.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import logging
import os
import re
import tempfile
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from phasegrok.distribute.worker import ignore_signals, is_there, leave, stop
from phasegrok.errors import Gone, Refusal, short

__all__ = ["Dask", "gpus", "is_private", "opened", "revive"]

CONNECT_SECONDS: Final = 30
WORKERS_SECONDS: Final = 300
MOST_WORKERS: Final = 1024
# A worker that is silent for so long is taken for lost, and its chunk is given to another.
TTL: Final = "60s"
CONFIG: Final = {
    "distributed.scheduler.worker-saturation": 1.0,  # no chunk waits at a worker that may die
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.nanny.http.routes": [],
    "distributed.comm.timeouts.connect": f"{CONNECT_SECONDS}s",
    # A process that is begun again imports JAX; on a busy machine that takes longer than the 15 s
    # after which Dask would end it and begin none.
    "distributed.deploy.lost-worker-timeout": f"{WORKERS_SECONDS}s",
}
ENDED: Final = ("closed", "failed")  # what nannies say of themselves
QUIET: Final = ("distributed", "tornado", "asyncio")


@dataclass(frozen=True, kw_only=True)
class Dask:
    """What the options say of a cluster.

    Attributes:
        workers: processes on this machine; 0 for a cluster that is there already.
        scheduler: its address.
        scheduler_file: the file in which a scheduler wrote its address.
        dashboard: port of this machine's dashboard; 0 for none.
        tls_ca, tls_cert, tls_key: files in PEM.
    """

    workers: int = 0
    scheduler: str = ""
    scheduler_file: Path | None = None
    dashboard: int = 0
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None

    def check(self) -> None:
        """Refuse what cannot be opened.

        Raises:
            Refusal: it says what.
        """
        asked = [bool(self.workers), bool(self.scheduler), self.scheduler_file is not None]
        if sum(asked) > 1:
            raise Refusal(
                "--workers, --scheduler, --scheduler-file: found more than one; allowed: one"
            )
        if self.workers > MOST_WORKERS:
            raise Refusal(f"--workers: found {self.workers}; allowed: at most {MOST_WORKERS}")
        if self.scheduler and not re.fullmatch(r"(tcp|tls|ws|wss)://\S+:\d{1,5}", self.scheduler):
            raise Refusal(
                f"--scheduler: found {short(self.scheduler)}; allowed: tcp://HOST:PORT or"
                " tls://HOST:PORT"
            )
        files = {"--tls-ca": self.tls_ca, "--tls-cert": self.tls_cert, "--tls-key": self.tls_key}
        named = {name: path for name, path in files.items() if path is not None}
        for name, path in {**named, "--scheduler-file": self.scheduler_file}.items():
            if path is not None and not path.is_file():
                raise Refusal(f"{name}: {path}: found no such file")
        if named and len(named) < len(files):
            lacking = ", ".join(sorted(set(files) - set(named)))
            raise Refusal(f"{', '.join(sorted(named))}: found without {lacking}; allowed: all")
        address = self.scheduler or (_address(self.scheduler_file) if self.scheduler_file else "")
        if address.startswith(("tls://", "wss://")) and not named:
            option = "--scheduler" if self.scheduler else f"--scheduler-file: {self.scheduler_file}"
            raise Refusal(
                f"{option}: {short(address)} is encrypted; required: --tls-ca, --tls-cert and"
                " --tls-key"
            )
        if importlib.util.find_spec("distributed") is None:
            raise Refusal(
                "Dask is not installed; allowed: pip install 'phasegrok[cluster]', or --shard,"
                " which needs no service"
            )

    @property
    def security(self) -> Any:
        """TLS, if it was asked for."""
        if self.tls_ca is None:
            return None
        security: Any = import_module("distributed.security")
        return security.Security(
            tls_ca_file=str(self.tls_ca),
            tls_client_cert=str(self.tls_cert),
            tls_client_key=str(self.tls_key),
            tls_scheduler_cert=str(self.tls_cert),
            tls_scheduler_key=str(self.tls_key),
            tls_worker_cert=str(self.tls_cert),
            tls_worker_key=str(self.tls_key),
            require_encryption=True,
        )


@contextmanager
def opened(asked: Dask, note: Callable[[str], object], devices: int) -> Iterator[Any]:
    """A Dask client of a cluster with at least one worker; what was opened is closed again.

    Args:
        asked: which cluster.
        note: told of the dashboard, and of a scheduler that others may reach.
        devices: CPU devices that processes of this machine show to JAX.

    Raises:
        Gone: no scheduler answers, or no worker comes.
    """
    dask: Any = import_module("dask")
    distributed: Any = import_module("distributed")
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(CONFIG))
        stack.enter_context(_quiet())
        address: Any = asked.scheduler
        if asked.workers:
            address = stack.enter_context(_processes(asked, note, devices))
        more = {"scheduler_file": str(asked.scheduler_file)} if asked.scheduler_file else {}
        try:
            client = distributed.Client(
                address or None,
                security=asked.security,
                timeout=CONNECT_SECONDS,
                set_as_default=False,
                **more,
            )
        except (OSError, TimeoutError, ValueError) as error:
            said = str(error).partition("\n")[0] or type(error).__name__
            raise Gone(
                f"{asked.scheduler or asked.scheduler_file}: no scheduler answers ({said});"
                " nothing was written"
            ) from None
        stack.callback(_closed, client)
        scheduler = client.scheduler.address
        if not is_private(scheduler):
            note(
                f"warning: {scheduler} is neither on this machine nor encrypted: whoever reaches it"
                " can run code as its workers; see docs/cluster.md for TLS"
            )
        client.register_plugin(_plugin(), name="phasegrok")
        if not asked.workers:
            shown = "dashboard" in client.scheduler_info()["services"]
            note(f"scheduler {scheduler}{f', dashboard {client.dashboard_link}' if shown else ''}")
        _await_worker(client, scheduler)
        yield client


def _await_worker(client: Any, scheduler: str) -> None:
    """Wait until something is computed: a cluster that adapts begins a worker for that, and for
    nothing less.

    Raises:
        Gone: no worker comes, or the scheduler goes.
    """
    asked = client.submit(is_there, pure=False)
    try:
        done = asked.result(timeout=WORKERS_SECONDS)
    except TimeoutError:
        done = False
    except (OSError, CancelledError):
        raise Gone(f"{scheduler}: the scheduler went away; nothing was written") from None
    except Exception as error:  # whatever hinders a worker from the least thing
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise Gone(f"{scheduler}: its workers do nothing ({said}); nothing was written") from None
    if not done:
        raise Gone(f"{scheduler}: no worker came in {WORKERS_SECONDS} s; nothing was written")


def _address(file: Path) -> str:
    """The address in the file that a scheduler wrote.

    Raises:
        Refusal: there is none.
    """
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(file.read_bytes())
        if isinstance(found, dict) and isinstance(found.get("address"), str):
            return str(found["address"])
    raise Refusal(
        f"--scheduler-file: {file}: found no address of a scheduler; allowed: a file that `dask"
        " scheduler --scheduler-file FILE` wrote"
    )


def revive(cluster: Any) -> None:
    """Begin those processes again whose nannies gave up, since their workers died while they began.

    Dask forgets such a nanny at its leisure, and begins none in its place.
    """

    def again() -> None:
        for number, nanny in list(cluster.workers.items()):
            if nanny.status.name in ENDED:
                del cluster.workers[number]
        if set(cluster.worker_spec) - set(cluster.workers):
            cluster.scale(len(cluster.worker_spec))

    cluster.loop.add_callback(again)  # its workers are its own thread's


def is_private(address: str) -> bool:
    """Whether nobody else can talk to what listens at an address."""
    kind, _, rest = address.partition("://")
    if kind in ("tls", "wss", "inproc"):
        return True
    host = rest.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def gpus(environment: Mapping[str, str] = os.environ, devices: Path = Path("/dev")) -> list[str]:
    """The GPUs that JAX could use here, without beginning it: that would take their memory."""
    platforms = environment.get("JAX_PLATFORMS", "cuda").split(",")
    plugins = ("jax_cuda12_plugin", "jax_cuda13_plugin")
    if not {"cuda", "gpu"} & set(platforms):
        return []
    if not any(importlib.util.find_spec(name) for name in plugins):
        return []
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [each.strip() for each in visible.split(",") if each.strip() not in ("", "-1")]
    there = [path.name[6:] for path in devices.glob("nvidia*") if path.name[6:].isdigit()]
    return sorted(there, key=int)


@contextmanager
def _processes(asked: Dask, note: Callable[[str], object], devices: int) -> Iterator[Any]:
    """A scheduler in this process, and workers in processes of their own."""
    distributed: Any = import_module("distributed")
    shown, protocol = gpus(), "tls" if asked.tls_ca else "tcp"
    with tempfile.TemporaryDirectory(prefix="phasegrok-dask-") as scratch:
        common = {
            "nthreads": 1,
            "host": "127.0.0.1",
            "protocol": protocol,
            "memory_limit": 0,
            "dashboard": False,
            "silence_logs": logging.CRITICAL,
            "local_directory": scratch,
            "security": asked.security,
        }
        workers = {}
        for n in range(asked.workers):
            env = environment(n, asked, shown, devices)
            workers[n] = {"cls": distributed.Nanny, "options": {**common, "env": env}}
        port = asked.dashboard
        scheduler = {
            "cls": distributed.Scheduler,
            "options": {
                "host": "127.0.0.1",
                "protocol": protocol,
                "dashboard": bool(port),
                "dashboard_address": f"127.0.0.1:{port}",
                "worker_ttl": TTL,
                "security": asked.security,
            },
        }
        with distributed.SpecCluster(
            workers=workers, scheduler=scheduler, security=asked.security, silence_logs=False
        ) as cluster:
            where = f", dashboard {cluster.dashboard_link}" if port else ""
            each = f"one GPU each of {', '.join(shown)}" if shown else "this machine's cores"
            note(f"{asked.workers} worker processes, {each}{where}")
            yield cluster


def environment(number: int, asked: Dask, shown: list[str], devices: int) -> dict[str, str]:
    """What a worker process is given before it imports anything: one GPU, or all cores."""
    given = {"PYTHONUNBUFFERED": "1"}
    if not shown:
        # The layout of a chunk is one process's, and so are its bits.
        given["JAX_NUM_CPU_DEVICES"] = str(devices)
        return given
    given["CUDA_VISIBLE_DEVICES"] = shown[number % len(shown)]
    if asked.workers > len(shown):  # several processes share a GPU's memory
        given["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    return given


def _plugin() -> Any:
    """What every worker does when it begins, and before it ends."""
    distributed: Any = import_module("distributed")

    class Duties(distributed.WorkerPlugin):  # type: ignore[misc]
        name = "phasegrok"

        def setup(self, worker: Any) -> None:
            ignore_signals()

        def teardown(self, worker: Any) -> None:
            stop("")
            leave()

    return Duties()


def _closed(client: Any) -> None:
    """Close a client, whose scheduler may be gone."""
    try:
        client.close(timeout=5)
    except (OSError, TimeoutError, ValueError):
        return


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's own logs say of every worker that comes and goes what we say in a line."""
    known = [name for name in logging.root.manager.loggerDict if name.startswith(QUIET)]
    loggers = [
        logging.getLogger(name) for name in {*QUIET, *known}
    ]  # some have a level of their own
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
